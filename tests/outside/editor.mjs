// What an editor does with a schema: VS Code's own JSON service, asked for completions at offsets and for what it underlines.
// In: { "schema": .., "texts": [{ "text": "..", "at": 12 }] } on stdin. Out: [{ "words": [..], "wrong": [..] }].
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.env.EMP_TOOLS + "/");
const { getLanguageService, TextDocument } = require("vscode-json-languageservice");

const { schema, texts } = JSON.parse(readFileSync(0, "utf8"));
const service = getLanguageService({ schemaRequestService: async () => JSON.stringify(schema) });
service.configure({ validate: true, schemas: [{ uri: "file:///schema.json", fileMatch: ["*.json"] }] });

const answers = [];
for (const [index, { text, at }] of texts.entries()) {
  const document = TextDocument.create(`file:///${index}.json`, "json", 1, text);
  const parsed = service.parseJSONDocument(document);
  const completed = at === null ? { items: [] } : await service.doComplete(document, document.positionAt(at), parsed);
  const wrong = await service.doValidation(document, parsed);
  answers.push({
    words: completed.items.map((item) => item.label.replaceAll('"', "")),
    wrong: wrong.map((finding) => finding.message),
  });
}
process.stdout.write(JSON.stringify(answers));
