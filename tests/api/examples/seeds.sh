# One prompt with the seeds 1 to 3; then every job of the batch.
IDS=()
for seed in 1 2 3; do
  IDS+=("$(curl -s -X POST "$BASE/generate/text2img" -H "Content-Type: application/json" \
    -d "{\"prompt\": \"fantasy castle\", \"width\": 64, \"height\": 64, \"steps\": 4, \"seed\": $seed}" | jq -r '.id')")
done
for id in "${IDS[@]}"; do
  until [ "$(curl -s "$BASE/jobs/$id" | jq -r '.status')" = "completed" ]; do sleep 0.05; done
  SEED=$(curl -s "$BASE/jobs/$id" | jq -r '.result.seed')
  curl -s "$BASE/jobs/$id" | jq -r '.result.images[0]' | cut -d, -f2 | base64 -d > "output_$SEED.png"
done
[ "$(curl -s "$BASE/queue/status" | jq -r '.completedJobs')" = "3" ]
[ -s output_1.png ] && [ -s output_3.png ]
