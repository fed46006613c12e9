# The one-liner of the local model service.
curl -s -X POST "$BASE/v1/generate-image" -H "Content-Type: application/json" \
  -d '{"prompt": "A beautiful sunset", "width": 64, "height": 64, "num_inference_steps": 4, "model": "flux-schnell"}' \
  | jq -r '.image_bytes_b64' | base64 -d > output.png
