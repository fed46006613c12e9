# Submit a job, poll it with jq until it is completed, save the picture.
JOB_ID=$(curl -s -X POST "$BASE/generate/text2img" \
  -H "Content-Type: application/json" \
  -d '{"prompt": "a beautiful sunset over mountains", "negativePrompt": "blurry, low quality", "width": 64,
       "height": 64, "steps": 30, "guidanceScale": 7.5, "seed": 12345, "sampler": "euler_a"}' | jq -r '.id')

while true; do
  STATUS=$(curl -s "$BASE/jobs/$JOB_ID" | jq -r '.status')
  echo "Status: $STATUS"
  if [ "$STATUS" = "completed" ]; then break; fi
  if [ "$STATUS" = "failed" ]; then exit 1; fi
  sleep 0.05
done

curl -s "$BASE/jobs/$JOB_ID" | jq -r '.result.images[0]' | sed 's/^data:image\/png;base64,//' | base64 -d > output.png
