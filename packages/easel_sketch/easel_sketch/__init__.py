"""The engine that is always there: pictures drawn by rules inside Easel, no AI model, no download."""
