// What the larger parts of the studio keep of themselves while they are shown; each is made in one file.

interface Point {
  x: number;
  y: number;
}

/** The sheet of an editor as it is zoomed and moved: CSS pixels = picture pixels x scale. */
interface SheetView extends Point {
  area: HTMLElement;
  sheet: HTMLElement;
  width: number;
  height: number;
  margin: number;
  onMove: () => void;
  scale: number;
  fingers: Map<number, Point>;
  isMoved: boolean;
  isDragging: boolean;
}

/** What an editor may do with its sheet. */
interface SheetTools {
  fit: () => void;
  zoom: (by: number) => void;
  scale: () => number;
  toSheet: (event: PointerEvent) => Point;
  isPanning: () => boolean;
  destroy: () => void;
}

interface MaskEditor {
  mask: HTMLCanvasElement;
  shown: HTMLCanvasElement;
  pen: CanvasRenderingContext2D;
  width: number;
  height: number;
  isErasing: boolean;
  size: number;
  feather: number;
  done: ImageData[];
  undone: ImageData[];
  ring: HTMLElement;
  view: SheetTools;
  frame: number;
  at: (Point & { isTouch: boolean }) | null;
  setSize: (size: number) => void;
  setMode: (mode: string) => void;
}

type Edge = "left" | "right" | "up" | "down";

type Pads = Record<Edge, number>;

interface FrameEditor {
  sheet: HTMLElement;
  picture: HTMLElement;
  words: HTMLElement;
  width: number;
  height: number;
  grid: number;
  most: (axis: number) => number;
  pads: Pads;
  view: SheetTools;
  origin: Point;
  zoom: number | null;
}

/** An element that lives until it is told to end. */
type Editor = HTMLElement & { destroy: Stop };

interface ComboState {
  node: HTMLElement;
  input: HTMLInputElement;
  list: HTMLElement;
  id: string;
  isFree: boolean;
  onChange: (value: string) => void;
  all: Option[];
  shown: Option[];
  at: number;
  value: string;
}

/** A completion in the prompt of Create. */
interface Offer {
  insert: string;
  from: number;
  label: string;
  hint?: string;
}

/** What the flags of a prompt mean. */
interface Meant {
  draft: Partial<Api.Draft>;
  notes: string[];
}

interface PromptState {
  node: HTMLElement;
  input: HTMLTextAreaElement;
  list: HTMLElement;
  chips: HTMLElement;
  form: FormStore;
  engines: EngineStore;
  shape: () => Shape;
  options: Api.Option[];
  offers: Offer[];
  at: number;
  result: Meant;
  parsedText: string;
  listeners: Set<(result: Meant) => void>;
}

type FormPart = Part<[state: FormState, shape: Shape]>;

type SliderPart = Part<[value: number | null, fallback: number, limits?: { max?: number }]>;

/** The view Create, with its parts. */
interface CreateView {
  form: FormStore;
  engines: EngineStore;
  isSending: boolean;
  shape: () => Shape;
  stage: ReturnType<typeof import("../static/js/features/create/stage.js").makeStage>;
  strip: ReturnType<typeof import("../static/js/features/create/strip.js").queueStrip>;
  box: ReturnType<typeof import("../static/js/features/create/prompt-box.js").promptBox>;
  styles: ReturnType<typeof import("../static/js/features/create/styles.js").stylePicker>;
  estimate: ReturnType<typeof import("../static/js/features/create/estimate.js").estimateLine>;
  input: FormPart;
  panel: Part<[]>;
  reply: Part<[state: FormState]>;
  bodyOf: () => object;
  go: HTMLButtonElement;
  negative: HTMLTextAreaElement;
  negativeFold: HTMLDetailsElement;
  describe: HTMLButtonElement;
  known?: Set<string>;
}

interface JobCardOptions {
  isCompact?: boolean;
  showUser?: boolean;
  onOpen?: (image: Api.Image, job: Api.Job) => void;
  actions?: boolean;
}

type JobCard = HTMLElement & { job: Api.Job; wasShown?: boolean; update: (job: Api.Job) => void; destroy: Stop };

/** What narrows the gallery down, as the address says it. */
type Filters = Partial<Record<"q" | "model" | "engine" | "mode" | "since" | "until" | "sort", string>>;

/** What the gallery shows of all pictures. */
interface Place {
  favorites?: boolean;
  everyone?: boolean;
  collection?: string;
}

interface GraphInput {
  name: string;
  value: unknown;
  link: string | null;
}

interface GraphNode {
  id: string;
  type: string;
  title: string;
  inputs: GraphInput[];
}

interface GraphLink {
  from: string;
  to: string;
  input: string;
}

/** A workflow as nodes and links. */
interface Graph {
  nodes: GraphNode[];
  links: GraphLink[];
}

/** A node, or a point that a long link passes, in its layer. */
interface GraphCell {
  id: string;
  layer: number;
  height: number;
  y: number;
  before: string[];
  after: string[];
}

type GraphChain = GraphLink & { chain: string[] };

interface GraphBox extends Point {
  width: number;
  height: number;
}

/** An input that may stand for a field of a request. */
interface GraphSlot {
  slot: string;
  node: GraphNode;
  input: GraphInput;
}

/** A workflow that is looked at; `token` names an analysed file that is not kept yet. */
interface OpenWorkflow {
  name: string;
  graph: Graph;
  fields: Api.Field[];
  problems: string[];
  token: string | null;
  isStored: boolean;
  mayChange: boolean;
}

interface OfferItem {
  name: string;
  title: string;
  note: string;
}

type OfferKey = ListName | "embeddings" | "controls" | "control_models" | "styles";

interface OfferList {
  key: OfferKey;
  title: string;
  draft: ((item: OfferItem) => Partial<Api.Draft>) | null;
}

interface SuggestRow {
  label: string;
  insert: string;
  hint: string;
}

interface SuggestKnown {
  options: Api.Option[];
  sizes: unknown[][];
  aspects: string[];
  engines: Api.Engine[];
}

/** A command of the feed, as `/help` lists it. */
interface Command {
  name: string;
  aliases: string[];
  usage: string;
  meaning: string;
}

interface DialogAction {
  label: string;
  value?: unknown;
  kind?: string;
  icon?: string;
  run?: ((dialog: HTMLDialogElement) => unknown) | null;
}

interface DialogSpec {
  title: string;
  body: Child;
  actions?: DialogAction[];
  size?: "" | "wide" | "full";
  onOpen?: ((dialog: HTMLDialogElement, close: (value?: unknown) => void) => void) | null;
}

/** What outpainting begins with: how far each edge was drawn outwards, or a plain zoom. */
type FrameChoice = Partial<Pads> & { zoom?: number };

/** What changed about kept pictures. */
interface Change {
  ids: string[];
  isOn: boolean;
}

interface LightboxOptions {
  /** hears of a picture that turned out to be gone */
  onChange?: (picture: Picture) => void;
  /** which one is shown */
  onMove?: (index: number) => void;
  /** asks for more pictures in the same list */
  onNearEnd?: () => void;
  /** counts those that are still to come too */
  total?: () => number;
}

interface GridOptions {
  label: string;
  onOpen: (index: number) => void;
  onFavorite: (picture: Picture) => void;
  onAgain: (picture: Picture) => void;
}

/** The stage while it shows a job. */
type ShownStage = StageState & { job: Api.Job };

/** One job in the strip below the picture. */
interface StripItem {
  kind: "active" | "ended";
  job: Api.Job;
  node: HTMLElement;
  card: JobCard | null;
}

interface ChartData {
  /** unix seconds, evenly apart */
  times: number[];
  /** stacked in this order; `token` is a colour of css/base.css */
  series: { name: string; token: string; values: number[] }[];
  /** one sentence of what is to be seen */
  summary: string;
  /** words for a time */
  when: (time: number) => string;
  /** words for a time on the axis */
  tick: (time: number) => string;
  /** words for a value */
  format: (value: number) => string;
  incrs?: number[];
  least?: number;
  splits?: number[] | null;
}

/** As much of uPlot as the charts use. */
interface Plot {
  width: number;
  over: HTMLElement;
  cursor: { idx: number | null; left: number };
  destroy: Stop;
  setSize: (size: { width: number; height: number }) => void;
}

interface PlotMaker {
  new (options: object, data: number[][], place: HTMLElement): Plot;
  paths: { bars: (look: object) => unknown };
}

/** One engine as a card that keeps itself up to date. */
interface EngineCard {
  element: HTMLElement;
  engine: () => Api.Engine;
  update: (engine: Api.Engine) => void;
  /** Take in what a `queue` event says; true when the state has changed. */
  live: (lane: Api.Lane) => boolean;
  tick: () => void;
}

/** What of a request a workflow can take. */
interface WorkflowField {
  field: string;
  label: string;
  many: boolean;
  kind: "text" | "number" | "any";
}

type NumberRange = { min: number; max: number; step: number };

/** A list of names that an engine may have. */
type NameList = Exclude<OfferKey, "models">;

/** What fits at the caret: rows replace the text from `from` on. */
interface Suggested {
  from: number;
  rows: SuggestRow[];
}

/** A schema of the API's own description, as far as its page shows it. */
interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  type?: string;
  format?: string;
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  default?: unknown;
  description?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
}

/** What one route takes and answers. */
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; schema: Schema; required?: boolean; description?: string }[];
  requestBody?: { content: Record<string, { schema?: Schema; example?: unknown }> };
  responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>;
}
