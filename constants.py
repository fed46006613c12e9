"""Defaults and limits, the unit in each name. No logic."""

from typing import Final

APP_NAME: Final = "Easel"
VERSION: Final = "0.1.0"

# Requests: what a person may ask for before an engine's own limits apply.
MAX_PROMPT_CHARS: Final = 4000
MIN_SIDE_PX: Final = 64
MAX_SIDE_PX: Final = 16384
MAX_STEPS: Final = 500
MAX_BATCH_SIZE: Final = 10
MAX_REPEAT: Final = 10
MIN_CFG_SCALE: Final = 0.0
MAX_CFG_SCALE: Final = 100.0
MAX_SEED: Final = 2**64 - 1  # ComfyUI's and torch's; engines with a smaller range say so (`Capabilities.max_seed`)
MAX_UPSCALE_FACTOR: Final = 8.0
DEFAULT_WIDTH_PX: Final = 512
DEFAULT_HEIGHT_PX: Final = 512
DEFAULT_STEPS: Final = 20
DEFAULT_CFG_SCALE: Final = 7.0
DEFAULT_DENOISING_STRENGTH: Final = 0.75
DEFAULT_HIRES_FACTOR: Final = 2.0
DEFAULT_HIRES_STRENGTH: Final = 0.5
MAX_HIRES_FACTOR: Final = 4.0
DEFAULT_OUTPAINT_STRENGTH: Final = 0.9  # the new edge starts as a smear of the old one: little of that may stay

# Queue
DEFAULT_MAX_QUEUE_SIZE: Final = 100
DEFAULT_MAX_WAITING_PER_USER: Final = 20
DEFAULT_MAX_UPLOAD_MB_PER_USER = 1000
DEFAULT_MAX_RUNNING_PER_USER: Final = 2
DEFAULT_JOB_TIMEOUT_S: Final = 300.0
DEFAULT_MAX_WAIT_S: Final = 24 * 3600.0
DEFAULT_ENGINE_PATIENCE_S: Final = 30 * 60.0
MAX_INTERRUPTIONS: Final = 3  # stops of Easel in the middle of one job: more, and the job may be what stops it
MAX_ATTEMPTS: Final = 3
RETRY_BASE_S: Final = 1.0
RETRY_MAX_S: Final = 30.0
BREAKER_FAILURES: Final = 3
BREAKER_BASE_S: Final = 5.0
BREAKER_MAX_S: Final = 300.0
GPU_IDLE_REMINDER_S: Final = 20 * 60.0
GRACEFUL_STOP_S: Final = 20.0
WARM_MODEL_LOOK_AHEAD: Final = 4
DEFAULT_SECONDS_PER_COST: Final = 0.5  # one cost unit = 1 megapixel-step, until a lane has learned its own pace

# Pictures
MAX_IMAGE_BYTES: Final = 64 * 1024 * 1024
MAX_IMAGE_PIXELS: Final = 64_000_000
MAX_INPUT_IMAGE_BYTES: Final = 10 * 1024 * 1024
MAX_VIDEO_BYTES: Final = 128 * 1024 * 1024
DEFAULT_MEDIA_TTL_S: Final = 24 * 3600.0
DEFAULT_MASK_BLUR_PX: Final = 4
MAX_MASK_BLUR_PX: Final = 64
PREVIEW_SIDE_PX: Final = 256

# Money
MAX_BUDGET_USD: Final = 1_000_000  # of a day

# HTTP
DEFAULT_PORT: Final = 8484

# Discord (source: Discord's API documentation, v10)
DISCORD_API_URL: Final = "https://discord.com/api/v10"
DISCORD_FILE_BYTES: Final = 10 * 1024 * 1024
DISCORD_CONTENT_CHARS: Final = 2000
DISCORD_ALT_TEXT_CHARS: Final = 1024
INTERACTION_TOKEN_S: Final = 14 * 60.0  # Discord says 15 min; one is kept in reserve

# Ends the remark of an engine that has no model.
BY_RULES: Final = "drawn by rules, not by an AI model"  # no text: written into pictures
PAINTED: Final = "composed by rules, painted by a neural network"  # no text: written into pictures
