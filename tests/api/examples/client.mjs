// A client of the job queue's dialect for node or a browser.
const base = process.env.BASE;

async function generate(options) {
  const response = await fetch(`${base}/generate/text2img`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(options),
  });
  if (response.status !== 202) throw new Error((await response.json()).error);
  return (await response.json()).id;
}

async function waitFor(id) {
  for (;;) {
    const job = await (await fetch(`${base}/jobs/${id}`)).json();
    if (job.status === "completed") return job;
    if (job.status === "failed") throw new Error(job.error);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const job = await waitFor(await generate({ prompt: "a cyberpunk city", width: 64, height: 64, steps: 4, seed: 7 }));
console.log(job.status, job.result.seed, job.result.images[0].slice(0, 40));
