"""A gradio app with the inputs of Pinokio's flux-webui and a pipeline that draws with Pillow, for gradio 4, 5 and 6.

It runs in an environment of its own that knows nothing of Easel. Prompts: "OOM" and "CRASH" fail as real pipelines do.
"""

import argparse
import random
import time

import gradio as gr
from PIL import Image, ImageDraw

MODELS = ["black-forest-labs/FLUX.1-schnell", "sayakpaul/FLUX.1-merged"]
MAX_SEED = 2**31 - 1


def draw(prompt: str, seed: int, width: int, height: int) -> Image.Image:
    chance = random.Random(f"{prompt} {seed}")
    picture = Image.new("RGB", (width, height), tuple(chance.randrange(256) for _ in range(3)))
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        x, y, r = chance.randrange(width), chance.randrange(height), chance.randrange(8, 80)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=tuple(chance.randrange(256) for _ in range(3)))
    return picture


def steps_of(prompt: str, steps: int, progress: gr.Progress, seconds: float) -> None:
    print(f"BEGIN {prompt}", flush=True)
    for number in progress.tqdm(range(int(steps)), desc=None):
        time.sleep(seconds)
        if number == 1 and "OOM" in prompt:
            raise gr.Error("CUDA out of memory. Tried to allocate 2.00 GiB")
        if number == 1 and "CRASH" in prompt:
            raise ValueError("boom: tensor shapes differ")
    print(f"END {prompt}", flush=True)


def build(seconds: float) -> gr.Blocks:
    def infer(prompt, checkpoint, seed, guidance_scale, num_images_per_prompt, randomize_seed, width, height,
              num_inference_steps, progress=gr.Progress(track_tqdm=True)):  # noqa: B008  # gradio looks for it there  # fmt: skip
        seed = random.randint(0, MAX_SEED) if randomize_seed else seed
        steps_of(prompt, num_inference_steps, progress, seconds)
        return [draw(prompt, seed + n, width, height) for n in range(int(num_images_per_prompt))], seed

    def repaint(prompt, image, strength, num_inference_steps, seed, progress=gr.Progress()):  # noqa: B008
        steps_of(prompt, num_inference_steps, progress, seconds)
        return Image.blend(image.convert("RGB"), draw(prompt, seed, *image.size), strength)

    with gr.Blocks(title="FLUX.1") as demo:
        with gr.Tab("Text"):
            prompt = gr.Text(label="Prompt", show_label=False, max_lines=1, container=False)
            run = gr.Button("Run")
            result = gr.Gallery(label="Result", show_label=False, format="png")
            model = gr.Dropdown(MODELS, value=MODELS[0], label="Model")
            seed = gr.Slider(label="Seed", minimum=0, maximum=MAX_SEED, step=1, value=0)
            randomize = gr.Checkbox(label="Randomize seed", value=True)
            width = gr.Slider(label="Width", minimum=256, maximum=2048, step=32, value=1024)
            height = gr.Slider(label="Height", minimum=256, maximum=2048, step=32, value=576)
            count = gr.Slider(label="Number of images", minimum=1, maximum=50, step=1, value=1)
            steps = gr.Slider(label="Number of inference steps", minimum=1, maximum=50, step=1, value=4)
            guidance = gr.Number(label="Guidance Scale", minimum=0, maximum=50, value=0.0)
            run.click(
                infer,
                inputs=[prompt, model, seed, guidance, count, randomize, width, height, steps],
                outputs=[result, seed],
            )
        with gr.Tab("Picture"):
            words = gr.Textbox(label="Prompt")
            source = gr.Image(label="Input Image", type="pil")
            strength = gr.Slider(0, 1, value=0.8, step=0.05, label="Strength")
            again = gr.Slider(1, 50, value=4, step=1, label="Steps")
            number = gr.Number(label="Seed (0 = random)", value=0, precision=0)
            output = gr.Image(label="Result", type="pil")
            gr.Button("Repaint").click(repaint, inputs=[words, source, strength, again, number], outputs=output)
    return demo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0.1, help="per step")
    parser.add_argument("--auth", default="", help="user:password")
    parser.add_argument("--max-size", type=int)
    parser.add_argument("--show-error", action="store_true")
    arguments = parser.parse_args()
    auth = tuple(arguments.auth.split(":", 1)) if arguments.auth else None
    demo = build(arguments.seconds).queue(max_size=arguments.max_size)
    demo.launch(
        server_name="127.0.0.1", server_port=arguments.port, auth=auth, show_error=arguments.show_error, quiet=True
    )


if __name__ == "__main__":
    main()
