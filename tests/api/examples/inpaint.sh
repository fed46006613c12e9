# A part of a picture drawn anew; the mask is white there.
IMAGE=$(base64 -w 0 photo.png)
MASK=$(base64 -w 0 mask.png)
JOB_ID=$(curl -s -X POST "$BASE/generate/inpaint" -H "Content-Type: application/json" \
  -d "{\"prompt\": \"a flower\", \"image\": \"data:image/png;base64,$IMAGE\",
       \"mask\": \"data:image/png;base64,$MASK\", \"inpaintingStrength\": 0.9, \"width\": 64, \"height\": 64,
       \"steps\": 40}" | jq -r '.id')
until [ "$(curl -s "$BASE/jobs/$JOB_ID" | jq -r '.status')" = "completed" ]; do sleep 0.05; done
curl -s "$BASE/jobs/$JOB_ID" | jq -r '.result.images[0]' | cut -d, -f2 | base64 -d > output.png
