// BullMQ in the words of `emp-bench contender`. Jobs are removed when they are done, the cheapest setting that its guide names.
import { Queue, Worker } from 'bullmq';

const [, , word, how, count] = process.argv;
const { hostname: host, port } = new URL(process.env.REDIS_URL);
const connection = { host, port: Number(port) };
const opts = { removeOnComplete: true };
const now = () => Math.round((performance.timeOrigin + performance.now()) * 1e6);
const payload = (number) => ({
  t: now(), job_id: `job-${number}`, service: 'txt2img', model: 'sdxl', prompt: 'a photo of a cat on a chair', pad: 'x'.repeat(70),
});
const BULK = 1000;

async function queue() {
  const queue = new Queue('bench', { connection });
  await queue.waitUntilReady();
  return queue;
}

async function enqueue(jobs) {
  const into = await queue();
  const begun = performance.now();
  if (how === 'single') {
    for (let number = 0; number < jobs; number++) await into.add('noop', payload(number), opts);
  } else {
    for (let from = 0; from < jobs; from += BULK) {
      const numbers = Array.from({ length: Math.min(BULK, jobs - from) }, (_, index) => from + index);
      await into.addBulk(numbers.map((number) => ({ name: 'noop', data: payload(number), opts })));
    }
  }
  console.log(`TOOK ${(performance.now() - begun) / 1000}`);
  process.exit(0);
}

async function work(slots) {
  const expect = Number(process.env.EXPECT ?? 0);
  const late = process.env.LATE !== undefined;
  let done = 0, first = 0;
  const worker = new Worker('bench', async (job) => {
    if (late) console.log(`LATE ${now() - job.data.t}`);
    if (done === 0) first = now();
    if (++done === expect) console.log(`DONE ${first} ${now()}`);
  }, { connection, concurrency: slots });
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
  console.log('READY');
}

async function lone(jobs) {
  const into = await queue();
  for (let number = 0; number < jobs; number++) {
    await into.add('noop', payload(number), opts);
    await new Promise((resolve) => setTimeout(resolve, 30 + (number * 7919) % 31));
  }
  process.exit(0);
}

if (word === 'enqueue') await enqueue(Number(count));
else if (word === 'worker') await work(Number(how));
else await lone(Number(how));
