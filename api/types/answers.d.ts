// Made from /openapi.json by `python -m tests.api.studio_types`; a test sees to it that it is the same.
// A seed is text where a number cannot hold it: shell/exact.js reads it so.

declare namespace Api {
  /** A warning to the owner. */
  interface Alert {
    kind: "error_rate" | "slow" | "budget" | "key_refused" | "advice" | "misuse";
    level: "warning" | "error";
    message: string;
    engine: string;
    since: string;
  }

  /** The analysis of a file. `token` keeps it for an hour, for PUT /api/workflows/{name}. */
  interface Analysed {
    engine: string;
    fields: Field[];
    nodes: Node[];
    outputs: string[];
    problems: string[];
    lines: string[];
    token: string;
  }

  /** A limit of the day: of everybody, of one person, or of a server. */
  interface Budget {
    scope: "everybody" | "server" | "house" | "person" | "role";
    most_usd: number;
    used_usd: number;
    left_usd: number;
    resets_at: string;
  }

  /** The contents of an engine. A list that is None is not known: any name is passed through. Sizes in pixels. */
  interface Capabilities {
    modes: string[];
    models: Model[] | null;
    samplers: string[] | null;
    schedulers: string[] | null;
    loras: string[] | null;
    upscalers: string[] | null;
    hires_upscalers: string[] | null;
    controls: string[];
    control_models: string[] | null;
    styles: string[] | null;
    vaes: string[] | null;
    embeddings: string[] | null;
    size_grid: number;
    min_side: number;
    max_side: number;
    max_steps: number;
    max_batch: number;
    default_width: number;
    default_height: number;
    default_steps: number;
    default_cfg_scale: number;
    supports: Supports;
  }

  /** Your own album. */
  interface Collection {
    id: string;
    name: string;
    description: string;
    count: number;
    cover: Image | null;
    created_at: string;
  }

  /** All of them, by name. */
  interface Collections {
    collections: Collection[];
  }

  /** One prompt and seed on several engines; each job goes on by itself. */
  interface Comparison {
    id: string;
    prompt: string;
    seed: number | string;
    created_at: string;
    contenders: Contender[];
    notes: string[];
  }

  /** One engine of a comparison: its job, or in `error` why it has none. */
  interface Contender {
    engine: string;
    lane: string;
    job: Job | null;
    error: string;
  }

  /** A picture that steers the drawing (ControlNet). */
  interface Control {
    kind: string;
    image: string;
    model?: string | null;
    weight: number;
  }

  /** The cost of one person's jobs on one engine on one day; `reserved_usd` is of those that have not ended. */
  interface Cost {
    day: string;
    user: string;
    engine: string;
    lane: string;
    jobs: number;
    images: number;
    answers: number;
    cost_usd: number;
    reserved_usd: number;
    unsure_usd: number;
  }

  /** The books: newest day first, dearest first. `unsure_usd`, a part of what was spent, may not have been charged. */
  interface Costs {
    days: number;
    spent_usd: number;
    reserved_usd: number;
    unsure_usd: number;
    costs: Cost[];
    rentals: RentalCost[];
    budgets: Budget[];
  }

  /** An admin sees everybody's figures, others their own. */
  interface Dashboard {
    hours: Hour[];
    engines: EngineFigures[];
    days: Day[];
    totals: Totals;
    errors: Failures[];
    alerts: Alert[];
    queue: Queue;
  }

  /** Use by one person of one engine on one day (UTC). */
  interface Day {
    day: string;
    user: string;
    engine: string;
    images: number;
    cost_usd: number;
  }

  /** A description of a picture. */
  interface Describe {
    text: string;
    engine: string;
    notes: string[];
  }

  /** The request for a picture; everything left out is decided by Easel and the engine. */
  interface Draft {
    text?: string | null;
    prompt?: string | null;
    negative_prompt?: string | null;
    mode?: Mode | null;
    width?: number | null;
    height?: number | null;
    aspect?: string | number[] | null;
    steps?: number | null;
    stop?: number | null;
    cfg_scale?: number | null;
    guidance?: number | null;
    seed?: number | string;
    subseed?: number | null;
    subseed_strength?: number | null;
    chaos?: number | null;
    draft?: Draft;
    batch_size?: number | null;
    model?: string | null;
    loras?: Lora[];
    styles?: string[];
    looks?: string[];
    sampler?: string | null;
    scheduler?: string | null;
    vae?: string | null;
    clip_skip?: number | null;
    init_image?: string | null;
    more_images?: string[];
    denoising_strength?: number | null;
    hires?: Hires | null;
    zoom?: number | null;
    pan?: Pan | null;
    mask_fill?: MaskFill | null;
    mask_blur?: number | null;
    only_masked?: boolean | null;
    tiling?: boolean | null;
    upscale_factor?: number | null;
    upscaler?: string | null;
    workflow?: string | null;
    backend?: string | null;
    priority?: Priority | null;
    options?: Record<string, boolean | number | string>;
    mask_image?: string | null;
    control?: Control[];
  }

  /** One engine over the days asked for. Rates 0 to 1, times in seconds; None: no job has shown it. */
  interface EngineFigures {
    engine: string;
    lane: string;
    done: number;
    failed: number;
    images: number;
    success_rate: number | null;
    mean_seconds: number | null;
    p95_seconds: number | null;
    cost_usd: number;
  }

  /** One engine and how it is now. Its address and key are never shown. */
  interface Engine {
    name: string;
    label: string;
    kind: string;
    kind_title: string;
    grade: string;
    owner: "easel" | "user" | "guild";
    is_fallback: boolean;
    fills: string[];
    is_mine: boolean;
    state: "up" | "busy" | "paused" | "down" | "unknown";
    error: string | null;
    hint: string;
    waiting: number;
    running: number;
    wait_s: number;
    seconds_per_job: number | null;
    price: string;
    remark: string;
    capabilities: Capabilities | null;
  }

  /** The engines one may use, the preferred first. */
  interface Engines {
    engines: Engine[];
  }

  /** A fuller prompt; `source` is the model that wrote it, or "rules", and `notes` says why it was those. */
  interface EnhancedPrompt {
    prompt: string;
    others: string[];
    advice: string[];
    tags: string[];
    source: string;
    notes: string[];
  }

  /** A forecast for a draft; `refused` says why nothing would, or which budget is too small. */
  interface Estimate {
    engine: string;
    lane: string;
    wait_s: number;
    seconds: number | null;
    price: string;
    cost_usd: number | null;
    notes: string[];
    refused: string | null;
    asks_first: boolean;
  }

  /** A name, and how many pictures have it. */
  interface Facet {
    name: string;
    count: number;
  }

  /** The filters of the gallery. */
  interface Facets {
    models: Facet[];
    engines: Facet[];
  }

  /** One kind of failure. */
  interface Failures {
    code: string;
    count: number;
    last: string;
    example: string;
  }

  /** Fetching a model: `done` of `total` bytes are here. `error` is what ended it before its end. */
  interface Fetch {
    state: "running" | "done" | "failed";
    done: number;
    total: number;
    bytes_per_s: number;
    error: string | null;
    hint: string;
  }

  /** A value of a request and the inputs it goes into, as "node.input". */
  interface Field {
    field: string;
    slots: string[];
    meaning: string;
  }

  /** The picture that one of a draft becomes; `cost_usd` is null where its engine is free, or does not say. */
  interface Finish {
    width: number;
    height: number;
    steps: number;
    is_paid: boolean;
    cost_usd: number | null;
  }

  /** Counts of what was deleted. */
  interface Forgotten {
    jobs: number;
    pictures: number;
  }

  /** The bytes that are free again. */
  interface Freed {
    freed: number;
  }

  /** Draw small, then larger. */
  interface Hires {
    factor: number;
    denoising_strength: number;
    steps?: number | null;
    upscaler?: string | null;
  }

  /** Jobs that ended in one hour of the clock. */
  interface Hour {
    start: string;
    done: number;
    failed: number;
  }

  /** One picture of a job. */
  interface Image {
    id: string;
    url: string;
    thumbnail_url: string;
    seed: number | string;
    width: number;
    height: number;
    media_type: string;
    size_bytes: number;
    alt: string;
    file_name: string;
    is_favorite: boolean;
    is_gone: boolean;
  }

  /** One input of a node: a value, or a link [node, output]. */
  interface Input {
    name: string;
    value: boolean | number | string | null;
    link: [string, number] | null;
  }

  /** The reason a job failed. */
  interface JobError {
    code: string;
    message: string;
    hint: string;
  }

  /** One job as its reader may see it now. */
  interface Job {
    id: string;
    short_id: string;
    status: "queued" | "running" | "done" | "failed" | "cancelled" | "expired";
    mode: Mode;
    prompt: string;
    command: string;
    request: Request;
    engine: string;
    lane: string;
    position: number | null;
    eta_s: number | null;
    hold: string;
    hold_s: number;
    progress: Progress | null;
    notes: string[];
    error: JobError | null;
    images: Image[];
    seconds: number | null;
    cost_usd: number | null;
    model: string | null;
    from_cache: boolean;
    created_at: string;
    started_at: string | null;
    finished_at: string | null;
    expires_at: string | null;
    user_name: string;
    is_mine: boolean;
    is_private: boolean;
    door: string;
    parent_id: string | null;
    can_move_up: boolean;
    is_draft: boolean;
  }

  /** Some jobs, newest first; `next` asks for those before. */
  interface Jobs {
    jobs: Job[];
    next: string | null;
  }

  /** An API key without what makes it one. */
  interface Key {
    id: string;
    name: string;
    scopes: ("read" | "generate" | "admin")[];
    user_key: string;
    rate_per_minute: number | null;
    created_at: string;
    expires_at: string | null;
    last_used_at: string | null;
    revoked_at: string | null;
  }

  /** All keys, those that have ended too. */
  interface Keys {
    keys: Key[];
  }

  /** A kind of engine that may be connected. */
  interface Kind {
    kind: string;
    title: string;
    needs_url: boolean;
    needs_key: boolean;
    example: string;
    help: string;
  }

  /** All of them. */
  interface Kinds {
    kinds: Kind[];
  }

  /** The load of one engine; `wait_s` seconds until a new job would start. */
  interface Lane {
    state: "up" | "busy" | "paused" | "down";
    waiting: number;
    running: number;
    wait_s: number;
  }

  /** The limits of a request. */
  interface Limits {
    prompt_chars: number;
    upload_bytes: number;
    media_ttl_s: number;
    max_batch: number;
  }

  /** A LoRA by the name its engine lists. `details`: what a tag of A1111 says after the weight, `te=0.5`. */
  interface Lora {
    name: string;
    weight: number;
    details: string;
  }

  /** The content under a mask when drawing begins. */
  type MaskFill = "original" | "blur" | "noise" | "empty";

  /** A picture that is here, an input for example. */
  interface Media {
    media_id: string;
    url: string;
    width: number;
    height: number;
  }

  /** The kind of picture making that is wanted. */
  type Mode = "txt2img" | "img2img" | "inpaint" | "upscale" | "restyle";

  /** A model to choose; `name` is what is sent, `licence` is empty where it is not known. */
  interface Model {
    name: string;
    title: string;
    is_loaded: boolean;
    licence: string;
  }

  /** A model with its true size in bytes; `left` is not here yet. */
  interface ModelTerms {
    model: OwnModel;
    size: number;
    left: number;
  }

  /** A new key: `token` is shown this once. */
  interface NewKey {
    key: Key;
    token: string;
  }

  /** One node, for drawing the graph. */
  interface Node {
    id: string;
    class_type: string;
    title: string;
    inputs: Input[];
  }

  /** One option of the prompt syntax. */
  interface Option {
    name: string;
    flags: string[];
    example: string;
    meaning: string;
    choices: string[];
    names: string;
  }

  /** The options of a prompt. */
  interface Options {
    options: Option[];
    sizes: ([number, number])[];
    aspects: string[];
  }

  /** A model that can be fetched. `size_gb` is rounded; `room` says how it fits this machine, `fits` in words. */
  interface OwnModel {
    name: string;
    title: string;
    good_for: string;
    licence: string;
    licence_url: string;
    is_commercial: boolean;
    is_gated: boolean;
    base: string;
    size_gb: number;
    memory_gb: number;
    room: "whole" | "eight_bits" | "parts" | "layers" | "processor" | "none";
    fits: string;
    is_here: boolean;
    fetch: Fetch | null;
  }

  /** All that can be fetched, and the names of your own. `can_draw`: its packages are installed; else `hint` helps. */
  interface OwnModels {
    models: OwnModel[];
    others: string[];
    can_draw: boolean;
    hint: string;
  }

  /** To which side a picture is continued. */
  type Pan = "left" | "right" | "up" | "down";

  /** A line as read, with nothing added. */
  interface Parsed {
    draft: Draft;
    repeat: number;
    is_private: boolean;
    notes: string[];
  }

  /** One picture of the gallery. Its row stays when its file has expired (`is_gone`). */
  interface Picture {
    id: string;
    url: string;
    thumbnail_url: string;
    seed: number | string;
    width: number;
    height: number;
    media_type: string;
    size_bytes: number;
    alt: string;
    file_name: string;
    is_favorite: boolean;
    is_gone: boolean;
    job_id: string;
    prompt: string;
    negative_prompt: string;
    mode: string;
    model: string | null;
    engine: string;
    steps: number;
    cfg_scale: number;
    sampler: string | null;
    seconds: number;
    cost_usd: number;
    created_at: string;
    expires_at: string | null;
    user_name: string;
    is_mine: boolean;
    is_private: boolean;
    collections: string[];
    parameters: string;
    command: string;
  }

  /** Some pictures; `next` is the cursor of the page after, `total` counts those of all pages. */
  interface Pictures {
    pictures: Picture[];
    next: string | null;
    total: number;
    or_more: boolean;
  }

  /** The cost of going on from a job, about, in US dollars; null: nothing, or it cannot be done here. */
  interface Prices {
    again: number | null;
    vary: number | null;
    zoom: number | null;
    upscale: number | null;
    engines: Record<string, number>;
  }

  /** The place of a request: behind what others wait for, in turn, or before it, for whom a server lets. */
  type Priority = "low" | "normal" | "high";

  /** The progress of a running job; `fraction` 0 to 1. */
  interface Progress {
    fraction: number;
    step: number | null;
    steps: number | null;
    note: string;
    eta_s: number | null;
    preview: string | null;
  }

  /** The number of jobs now, on all engines; as the event `queue` tells it. */
  interface Queue {
    waiting: number;
    running: number;
    engines: Record<string, Lane>;
  }

  /** Parameters of a picture, as the file says. */
  interface Recall {
    text: string | null;
    command: string | null;
    draft: Draft;
    notes: string[];
  }

  /** The outcome; the names are those of settings. */
  interface Reload {
    changed: string[];
    waiting: string[];
    wrong: string[];
    message: string;
  }

  /** The cost of a rented machine on one day, as far as it was seen to run. */
  interface RentalCost {
    day: string;
    engine: string;
    hours: number;
    cost_usd: number;
  }

  /** The whole request, as it was asked for. */
  interface Request {
    prompt: string;
    width: number;
    height: number;
    steps: number;
    cfg_scale: number;
    seed: number | string;
    negative_prompt: string;
    sampler: string | null;
    scheduler: string | null;
    model: string | null;
    vae: string | null;
    clip_skip: number | null;
    loras: Lora[];
    guidance: number | null;
    styles: string[];
    hires: Hires | null;
    subseed: number | null;
    subseed_strength: number | null;
    draft: Draft;
    batch_size: number;
    denoising_strength: number | null;
    init_image: Media | null;
    more_images: Media[];
    mask_image: Media | null;
    mask_fill: MaskFill | null;
    mask_blur: number | null;
    only_masked: boolean | null;
    tiling: boolean | null;
    upscale_factor: number | null;
    upscaler: string | null;
    workflow: string | null;
    options: Record<string, string>;
  }

  /** The caller and the server. */
  interface Session {
    user: User;
    version: string;
    sign_in_url: string | null;
    limits: Limits;
    open_job: string | null;
    has_paid_engines: boolean;
    text: Text | null;
    discord: string | null;
  }

  /** A preset: `value` is what a prompt gets. */
  interface Style {
    id: string;
    name: string;
    description: string;
    value: string;
    thumbnail_url: string | null;
    is_custom: boolean;
  }

  /** All of them by name. */
  interface Styles {
    styles: Style[];
  }

  /** The jobs that were queued, and remarks on the request. */
  interface Submitted {
    jobs: Job[];
    notes: string[];
  }

  /** The settings an engine takes, and what it can do besides drawing. */
  interface Supports {
    seed: number | string;
    negative: boolean;
    cfg_scale: boolean;
    steps: boolean;
    clip_skip: boolean;
    hires: boolean;
    guidance: boolean;
    mask_fill: boolean;
    only_masked: boolean;
    tiling: boolean;
    subseed: boolean;
    describe: boolean;
    workflows: boolean;
    preview: boolean;
    progress: boolean;
    cancel: boolean;
  }

  /** A saved prompt; `text` is prompt syntax for the box. */
  interface Template {
    id: string;
    name: string;
    text: string;
    description: string;
    uses: number;
    is_mine: boolean;
    is_shared: boolean;
  }

  /** Your own by name, then those that others share. */
  interface Templates {
    templates: Template[];
  }

  /** The result of a test: `layer` is the one that failed, or the last. */
  interface Test {
    is_ok: boolean;
    message: string;
    hint: string;
    layer: string;
    seconds: number;
  }

  /** The text engine: its model, and what an answer costs, about, in US dollars; 0: nothing, or nothing is known. */
  interface Text {
    model: string;
    enhance_usd: number;
    describe_usd: number;
  }

  /** Sums over the days asked for. */
  interface Totals {
    done: number;
    failed: number;
    cancelled: number;
    expired: number;
    images: number;
    from_cache: number;
    seconds: number;
    cost_usd: number;
    success_rate: number | null;
    users_today: number;
  }

  /** The text that goes into the box. */
  interface Used {
    text: string;
  }

  /** The caller. */
  interface User {
    id: string;
    name: string;
    is_admin: boolean;
    how: string;
  }

  /** The same with its graph. Options are there while an engine that runs it answers. */
  interface WholeWorkflow {
    name: string;
    engine: string;
    fields: Field[];
    owner: string;
    is_mine: boolean;
    updated_at: string;
    options: WorkflowOption[];
    nodes: Node[];
    outputs: string[];
    problems: string[];
  }

  /** An input that is an option of the workflow; `default` is what it has when nobody says it. */
  interface WorkflowOption {
    name: string;
    kind: string;
    low: number | null;
    high: number | null;
    default: string;
    choices: string[];
    slots: string[];
  }

  /** A kept workflow by its name. */
  interface Workflow {
    name: string;
    engine: string;
    fields: Field[];
    owner: string;
    is_mine: boolean;
    updated_at: string;
  }

  /** Your own, then everybody's. */
  interface Workflows {
    workflows: Workflow[];
  }

  /** What GET gives for a path. */
  type Get<P extends string> =
    P extends `/api/jobs/${string}/preview` ? null :
    P extends `/api/comparisons/${string}` ? Comparison :
    P extends `/api/jobs/${string}/finish` ? Finish :
    P extends `/api/jobs/${string}/prices` ? Prices :
    P extends "/api/collections" ? Collections :
    P extends `/api/workflows/${string}` ? WholeWorkflow :
    P extends "/api/dashboard" ? Dashboard :
    P extends "/api/templates" ? Templates :
    P extends "/api/workflows" ? Workflows :
    P extends `/api/gallery/${string}` ? Picture :
    P extends "/api/engines" ? Engines :
    P extends "/api/gallery" ? Pictures :
    P extends `/api/models/${string}` ? ModelTerms :
    P extends "/api/options" ? Options :
    P extends "/api/session" ? Session :
    P extends "/api/facets" ? Facets :
    P extends "/api/models" ? OwnModels :
    P extends "/api/styles" ? Styles :
    P extends "/api/costs" ? Costs :
    P extends `/api/jobs/${string}` ? Job :
    P extends "/api/kinds" ? Kinds :
    P extends "/api/feed" ? Jobs :
    P extends "/api/jobs" ? Jobs :
    P extends "/api/keys" ? Keys :
    unknown;

  /** What POST gives for a path. */
  type Post<P extends string> =
    P extends `/api/comparisons/${string}/cancel` ? Comparison :
    P extends "/api/workflows/analyse" ? Analysed :
    P extends "/api/engines/refresh" ? Engines :
    P extends `/api/templates/${string}/use` ? Used :
    P extends `/api/engines/${string}/test` ? Test :
    P extends `/api/models/${string}/fetch` ? OwnModel :
    P extends `/api/jobs/${string}/cancel` ? Job :
    P extends `/api/jobs/${string}/finish` ? Submitted :
    P extends "/api/collections" ? Collection :
    P extends "/api/comparisons" ? Comparison :
    P extends `/api/jobs/${string}/again` ? Submitted :
    P extends "/api/me/forget" ? Forgotten :
    P extends "/api/templates" ? Template :
    P extends "/api/describe" ? Describe :
    P extends "/api/estimate" ? Estimate :
    P extends `/api/jobs/${string}/up` ? Job :
    P extends "/api/batches" ? Submitted :
    P extends "/api/engines" ? Engine :
    P extends "/api/enhance" ? EnhancedPrompt :
    P extends "/api/uploads" ? Media :
    P extends "/api/recall" ? Recall :
    P extends "/api/reload" ? Reload :
    P extends "/api/styles" ? Style :
    P extends "/api/parse" ? Parsed :
    P extends "/api/jobs" ? Submitted :
    P extends "/api/keys" ? NewKey :
    unknown;

  /** What PUT gives for a path. */
  type Put<P extends string> =
    P extends `/api/collections/${string}/pictures/${string}` ? null :
    P extends `/api/favorites/${string}` ? null :
    P extends `/api/workflows/${string}` ? WholeWorkflow :
    unknown;

  /** What PATCH gives for a path. */
  type Patch<P extends string> =
    P extends `/api/collections/${string}` ? Collection :
    P extends `/api/workflows/${string}` ? WholeWorkflow :
    unknown;

  /** What DELETE gives for a path. */
  type Delete<P extends string> =
    P extends `/api/collections/${string}/pictures/${string}` ? null :
    P extends `/api/models/${string}/fetch` ? null :
    P extends `/api/collections/${string}` ? null :
    P extends `/api/favorites/${string}` ? null :
    P extends `/api/templates/${string}` ? null :
    P extends `/api/workflows/${string}` ? null :
    P extends `/api/engines/${string}` ? null :
    P extends `/api/gallery/${string}` ? null :
    P extends `/api/models/${string}` ? Freed :
    P extends `/api/styles/${string}` ? null :
    P extends `/api/jobs/${string}` ? null :
    P extends `/api/keys/${string}` ? null :
    unknown;
}
