//! JSONPath against the official compliance suite, and against `serde_json_path` as the oracle.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use emp_syntax::jsonpath::JsonPath;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the suite has and the subset leaves out: `value()`, and functions over anything but a path. The parser must refuse them with
/// an error, never read them as something else.
fn outside_the_subset(selector: &str) -> bool {
    selector.contains("value(")
        || ["length('", "length(\"", "length(1", "length(true", "length(false", "length(null"]
            .iter()
            .any(|f| selector.contains(f))
        || pattern_from_the_document(selector)
}

/// `match(@.a, @.b)`, `match(@.a, $.regex)`: a pattern that is not a literal cannot be checked when the connector is compiled.
fn pattern_from_the_document(selector: &str) -> bool {
    ["match(", "search("].iter().any(|function| {
        selector.split(function).skip(1).any(|arguments| {
            let second = arguments.split(',').nth(1).unwrap_or_default().trim_start();
            !second.starts_with(['\'', '"'])
        })
    })
}

#[test]
fn the_official_compliance_suite_agrees() {
    let suite: Value = serde_json::from_str(include_str!("data/jsonpath/cts.json")).unwrap();
    let (mut checked, mut refused, mut left_out) = (0, 0, 0);
    let mut wrong = Vec::new();
    for case in suite["tests"].as_array().unwrap() {
        let (name, selector) = (case["name"].as_str().unwrap(), case["selector"].as_str().unwrap());
        let parsed = JsonPath::parse(selector);
        if case["invalid_selector"] == true {
            refused += 1;
            if parsed.is_ok() {
                wrong.push(format!("{name}: {selector} is accepted"));
            }
        } else if outside_the_subset(selector) {
            left_out += 1;
            if parsed.is_ok() {
                checked += 1;
            }
        } else {
            checked += 1;
            match parsed {
                Err(error) => wrong.push(format!("{name}: {selector} is refused: {error}")),
                Ok(path) => {
                    let found: Value = path.nodes(&case["document"]).into_iter().cloned().collect();
                    let expected = case
                        .get("result")
                        .into_iter()
                        .chain(case["results"].as_array().into_iter().flatten());
                    if !expected.clone().any(|result| *result == found) {
                        wrong.push(format!("{name}: {selector} finds {found}"));
                    }
                    let again = JsonPath::parse(&path.to_string());
                    if again.as_ref() != Ok(&path) {
                        wrong.push(format!("{name}: {selector} prints as {path}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        checked > 400 && refused > 200 && left_out < 40,
        "{checked} checked, {refused} refused, {left_out} left out"
    );
}

/// Every path of the services table, as `reference/polling.md` section 5 spells it.
#[test]
fn the_paths_of_real_services_are_in_the_subset() {
    for path in [
        "$.id",
        "$.urls.get",
        "$.output",
        "$.detail[*].msg",
        "$.logs[*].message",
        "$.choices[0].message.content",
        "$.output[?@.type=='message'].content[?@.type=='output_text'].text",
        "$.output[?@.type=='image_generation_call'].result",
        "$.response..generatedSamples[*]",
        "$.response.generateVideoResponse.generatedSamples[*].video.uri",
        "$['{job.id}'].status.messages[?@[0]=='execution_interrupted']",
        "$['{job.id}'].outputs.*.*[?@.type=='output']",
        "$.queue_running[?@[1]=='{job.id}']",
        "$.data.task_result.videos[*].url",
        "$.error.innererror.message",
        "$.steps[*].output.images[*].url",
        "$.devices[0].vram_free",
    ] {
        JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_json_path::JsonPath::parse(path).unwrap();
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[abc]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("@".to_owned()),
        "[abc]".prop_map(|name| format!("@.{name}")),
        (0i64..3).prop_map(|index| format!("@[{index}]")),
        (-5i64..5).prop_map(|number| number.to_string()),
        "[ab]{0,2}".prop_map(|text| format!("'{text}'")),
        prop_oneof![Just("true"), Just("false"), Just("null")].prop_map(str::to_owned),
        "[abc]".prop_map(|name| format!("length(@.{name})")),
        "[abc]".prop_map(|name| format!("count(@..{name})")),
    ]
}

fn path() -> impl Strategy<Value = String> {
    // The oracle (0.7.2) finds nothing at a negative index when it compares (so the operands have none),
    // reads `>` as neither less nor equal, so that `true > false` holds, and lets two absent values fail `<=`.
    // Those operators are held to the RFC's definition of them in a property of their own.
    let operator = prop_oneof![Just("=="), Just("!="), Just("<")];
    let compare = (operand(), operator, operand())
        .prop_map(|(left, operator, right)| format!("{left}{operator}{right}"));
    let test = prop_oneof![
        compare,
        "[abc]".prop_map(|name| format!("@.{name}")),
        "[abc]".prop_map(|name| format!("!@.{name}")),
        "[abc]".prop_map(|name| format!("match(@.{name}, '[ab].?')")),
    ];
    let filter = prop::collection::vec(test, 1..4).prop_flat_map(|tests| {
        prop_oneof![Just(" && "), Just(" || ")]
            .prop_map(move |operator| format!("?({})", tests.join(operator)))
    });
    let selector = prop_oneof![
        "[abc]".prop_map(|name| format!("'{name}'")),
        (-4i64..4).prop_map(|index| index.to_string()),
        Just("*".to_owned()),
        (prop::option::of(-4i64..4), prop::option::of(-4i64..4), prop::option::of(-2i64..3)).prop_map(
            |(a, b, c)| {
                let shown = |bound: Option<i64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
                format!("{}:{}:{}", shown(a), shown(b), shown(c))
            }
        ),
        filter,
    ];
    let segment = prop_oneof![
        "[abc]".prop_map(|name| format!(".{name}")),
        "[abc]".prop_map(|name| format!("..{name}")),
        prop::collection::vec(selector, 1..3).prop_map(|all| format!("[{}]", all.join(", "))),
    ];
    prop::collection::vec(segment, 0..4).prop_map(|segments| format!("${}", segments.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_oracle_agrees_on_generated_paths(text in path(), document in json()) {
        let ours = JsonPath::parse(&text).unwrap();
        let theirs = serde_json_path::JsonPath::parse(&text).unwrap();
        prop_assert_eq!(ours.nodes(&document), theirs.query(&document).all(), "{}", text);
    }

    #[test]
    fn the_other_comparisons_are_what_the_rfc_defines_them_as(
        a in operand(),
        b in operand(),
        document in json(),
    ) {
        let nodes = |filter: String| -> Vec<Value> {
            let path = JsonPath::parse(&format!("$[?{filter}]")).unwrap();
            path.nodes(&document).into_iter().cloned().collect()
        };
        prop_assert_eq!(nodes(format!("{a}>{b}")), nodes(format!("{b}<{a}")));
        prop_assert_eq!(nodes(format!("{a}<={b}")), nodes(format!("{a}<{b} || {a}=={b}")));
        prop_assert_eq!(nodes(format!("{a}>={b}")), nodes(format!("{b}<{a} || {a}=={b}")));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = JsonPath::parse(&text);
        let _ = JsonPath::parse(&format!("${text}"));
    }
}

#[test]
fn a_negative_index_counts_from_the_end_in_a_comparison_too() {
    let document = serde_json::json!([[1, 2], [2], [], [2, 1]]);
    let path = JsonPath::parse("$[?@[-1]==2]").unwrap();
    assert_eq!(path.nodes(&document), [&document[0], &document[1]]);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for (open, close) in [("(", ")"), ("!(", ")"), ("@[?", "]")] {
        let text = format!("$[?{}@.a{}]", open.repeat(50_000), close.repeat(50_000));
        assert!(JsonPath::parse(&text).is_err());
    }
}

/// A path of a declaration, filled with one value for every hole.
fn filled(path: &str, value: &str) -> JsonPath {
    let path = JsonPath::parse_with_holes(path).unwrap();
    let fill = |template: &emp_syntax::template::Template| {
        template
            .parts
            .iter()
            .map(|part| match part {
                emp_syntax::template::Part::Literal(text) => Some(text.to_string()),
                emp_syntax::template::Part::Hole { .. } => Some(value.to_owned()),
            })
            .collect()
    };
    path.fill(&fill).unwrap().into_owned()
}

#[test]
fn a_hole_is_a_name_or_a_compared_text() {
    let body = json!({ "p-1": { "status": "done" }, "queue": [[0, "p-1"], [1, "p-2"]], "jobs": [{ "id": 7 }, { "id": "7x" }] });
    assert_eq!(filled("$['{job.id}'].status", "p-1").nodes(&body), [&json!("done")]);
    assert_eq!(filled("$['p-{job.id}'].status", "1").nodes(&body), [&json!("done")]);
    assert_eq!(filled("$.queue[?@[1]=='{job.id}'][0]", "p-2").nodes(&body), [&json!(1)]);
    assert_eq!(
        filled("$.jobs[?@.id=='{job.id}']", "7").nodes(&body),
        [&json!({ "id": 7 })],
        "ids may be numbers"
    );
    assert_eq!(filled("$.jobs[?@.id!='{job.id}']", "7").nodes(&body), [&json!({ "id": "7x" })]);
    assert_eq!(
        filled("$.jobs[?@.id=='{job.id}']", "07").nodes(&body),
        Vec::<&Value>::new(),
        "and only so written"
    );
}

#[test]
fn a_value_in_a_hole_is_data_and_never_syntax() {
    let body = json!({ "a": { "secret": 1 }, "']['secret": 2, "'] || $.a": 3, "*": 4, "{job.id}": 5 });
    for (value, found) in
        [("']['secret", json!(2)), ("'] || $.a", json!(3)), ("*", json!(4)), ("{job.id}", json!(5))]
    {
        assert_eq!(filled("$['{job.id}']", value).nodes(&body), [&found], "{value}");
    }
    let list = json!([{ "id": "1" }, { "id": "2" }]);
    for value in ["1' || @.id!='", "1'||'1'=='1", "\\'", "@.id"] {
        assert_eq!(filled("$[?@.id=='{job.id}']", value).nodes(&list), Vec::<&Value>::new(), "{value}");
    }
}

#[test]
fn a_hole_without_a_value_finds_nothing_and_a_path_without_holes_is_itself() {
    let path = JsonPath::parse_with_holes("$[?!(@.id=='{job.id}')]").unwrap();
    assert_eq!(path.fill(&|_| None), None, "not even by its negation");
    assert_eq!(path.holes().len(), 1);
    let plain = JsonPath::parse_with_holes("$['{{x}}'].y[?match(@.z, 'a{2}')]").unwrap();
    assert!(matches!(plain.fill(&|_| None), Some(std::borrow::Cow::Borrowed(_))));
    let body = json!({ "{x}": { "y": [{ "z": "aa" }] } });
    assert_eq!(plain.nodes(&body), [&json!({ "z": "aa" })]);
    // RFC 9535 has no holes, and `parse` is RFC 9535.
    assert_eq!(JsonPath::parse("$['{job.id}']").unwrap().nodes(&json!({ "{job.id}": 1 })), [&json!(1)]);
}

#[test]
fn a_hole_that_is_wrong_says_where() {
    for (path, offset, help) in [
        ("$['{jb.id}'].x", 4, "did you mean `job`?"),
        ("$.{job.id}.x", 2, "a hole stands in quotes: write ['{job.id}']"),
        ("$[{job.id}].x", 2, "a hole stands in quotes: write ['{job.id}']"),
        ("$.jobs[?@.id=='{job.id']", 15, "write `{{` for a brace that is text"),
    ] {
        let error = JsonPath::parse_with_holes(path).unwrap_err();
        assert_eq!((error.offset, error.help.as_deref()), (offset, Some(help)), "{path}: {error}");
    }
}
