# A picture from a picture, as a data: URL made with base64 -w 0.
IMAGE=$(base64 -w 0 photo.png)
JOB_ID=$(curl -s -X POST "$BASE/generate/img2img" -H "Content-Type: application/json" \
  -d "{\"prompt\": \"oil painting style\", \"initImage\": \"data:image/png;base64,$IMAGE\", \"strength\": 0.75,
       \"width\": 64, \"height\": 64, \"steps\": 4, \"guidanceScale\": 7.5}" | jq -r '.id')
until [ "$(curl -s "$BASE/jobs/$JOB_ID" | jq -r '.status')" = "completed" ]; do sleep 0.05; done
curl -s "$BASE/jobs/$JOB_ID" | jq -r '.result.images[0]' | cut -d, -f2 | base64 -d > output.png
