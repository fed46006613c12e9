// Shapes that several parts of the studio share. They are known everywhere without an import; nothing here is served.

/** What may stand inside of an element: nodes, texts, lists of them; what is nothing is left out. */
type Child = Node | string | number | boolean | null | undefined | readonly Child[];

/** An event as a listener of an element made by `h` gets it. */
type Heard<K extends keyof HTMLElementEventMap, E = HTMLElement> = HTMLElementEventMap[K] & { currentTarget: E };

type Listeners<E = HTMLElement> = {
  [K in keyof HTMLElementEventMap]?: ((event: Heard<K, E>) => unknown) | false | null;
};

interface Props<E = HTMLElement> {
  on?: Listeners<E>;
  style?: Record<string, string | number>;
  dataset?: Record<string, unknown>;
  class?: string;
  [name: string]: unknown;
}

/** The properties of a button: an icon before its words. */
interface ButtonProps extends Props<HTMLButtonElement> {
  icon?: string;
}

/** Ends what was begun: a listener, a timer, a view. */
type Stop = () => void;

/** A part of a form: drawn again from the state when that changes. */
interface Part<State extends unknown[]> {
  node: HTMLElement;
  update: (...state: State) => void;
}

/** What can be done with a picture. */
interface Action {
  id: string;
  label: string;
  icon: string;
  run: (anchor: HTMLElement) => unknown;
  hint?: string;
  danger?: boolean;
  filled?: boolean;
}

interface MenuItem {
  label: string;
  run: (anchor: HTMLElement) => unknown;
  icon?: string;
  hint?: string;
  danger?: boolean;
  disabled?: boolean;
  checked?: boolean;
}

/** An item, a line, or nothing. */
type MenuEntry = MenuItem | "-" | false | null | undefined | "";

interface Option {
  value: string;
  label: string;
  hint?: string;
  group?: string;
}

interface Notice {
  kind?: "info" | "good" | "bad";
  hint?: string;
  action?: { label: string; run: () => unknown } | null;
  stay?: number;
}

/** The kinds of `events.on`, and what each tells. */
interface EventKinds {
  job: Api.Job;
  queue: Api.Queue;
  gone: { id: string };
  alert: Api.Alert;
  state: { connected: boolean };
  missed: null;
  star: string[];
  deleted: string[];
}

/** What the stream of events says: what the server sends, and how the connection is. */
type StreamReport = (kind: string, data: unknown) => void;

/** The session; where nobody is signed in there is no user, and nothing is known of limits. */
type Session = Omit<Api.Session, "user" | "limits"> & { user: Api.User | null; limits: Partial<Api.Limits> };

/** A picture as every list shows it: a row of the gallery, or a result in its shape. */
type Picture = Omit<Api.Picture, "steps" | "cfg_scale" | "seconds" | "cost_usd" | "parameters"> & {
  steps: number | null;
  cfg_scale: number | null;
  seconds: number | null;
  cost_usd: number | null;
  parameters: string | null;
  job?: Api.Job;
};

/** A picture that was made, in a job or in the gallery. */
type AnyPicture = Api.Image & Partial<Omit<Picture, keyof Api.Image>>;

/** As much of a job as the actions of a picture ask for. */
type JobOfPicture = Pick<Api.Job, "id" | "command" | "is_mine"> &
  Partial<Pick<Api.Job, "is_draft" | "images">> & {
    request: Partial<Pick<Api.Request, "workflow" | "options">>;
  };

/** A picture to begin from, as the form keeps it. */
type InputPicture = Api.Media;

type Edit = "img2img" | "inpaint" | "outpaint" | "upscale" | "restyle";

/** What Create is opened with. */
interface Handoff {
  command: string;
  draft: Partial<Api.Draft> | null;
  initImage: AnyPicture | Api.Media | null;
  mode: Edit | null;
  maskFor?: AnyPicture | null;
  isAddition?: boolean;
  replyTo: string | null;
}

/** What stands in the form of Create. `null` and empty mean "not said": Easel and the engine decide. Sizes in pixels. */
interface FormState {
  text: string;
  negative: string;
  styles: string[];
  aspect: string | null;
  width: number | null;
  height: number | null;
  seed: number | string | null;
  isSeedLocked: boolean;
  loras: Pick<Api.Lora, "name" | "weight">[];
  hires: Api.Hires | null;
  backend: string;
  isPrivate: boolean;
  input: InputPicture | null;
  edit: Edit;
  mask: Api.Media | null;
  zoom: number | null;
  pan: Api.Pan | null;
  factor: number;
  /** What a picture is painted like: a style of the engine, or another picture; null: as the engine likes. */
  restyle: { styles: string[] } | { more_images: string[] } | null;
  workflow: string;
  options: Record<string, string | number | boolean>;
  replyTo: string | null;
  /** The fields of the table that have a control. */
  fields: Record<string, FieldValue>;
}

type FieldValue = string | number | boolean | null;

/** A row of the table of fields, as the page brings it (api/form.py); what goes without saying is left out. */
interface FormField {
  name: keyof Api.Draft;
  word: string;
  label: string;
  place: "main" | "more" | "input";
  hint?: string;
  list?: ListName;
  needs?: SupportName;
  choices?: string[];
  is_flag?: boolean;
  low?: number;
  high?: number;
  step?: number;
  usual?: number;
  usual_of?: LimitName;
  most?: LimitName;
  is_filled?: boolean;
  modes?: string[];
}

interface FormStore {
  get: () => FormState;
  set: (patch: Partial<FormState>) => void;
  reset: (how?: { isBare?: boolean }) => void;
  on: (fn: (state: FormState, changed: Set<string>) => unknown) => Stop;
  flush: () => void;
  /** Resolves when the file that was given last is in the form; a request waits for it. */
  pending?: Promise<unknown>;
}

/** What of the capabilities is of a kind: the lists to choose from, the figures. */
type NamesOf<V> = { [K in keyof Api.Capabilities]: Api.Capabilities[K] extends V ? K : never }[keyof Api.Capabilities];
type ListName = Exclude<NamesOf<Api.Model[] | string[] | null>, "modes" | "controls">;
type LimitName = NamesOf<number>;
type SupportName = keyof Api.Supports;

/** Which controls make sense for the chosen engine. A list that is null takes any name. */
interface Shape {
  lists: Record<ListName, Option[] | null>;
  supports: Record<SupportName, boolean>;
  modes: Set<string>;
  has: (list: ListName) => boolean;
  grid: number;
  minSide: number;
  maxSide: number;
  /** The most that any of the engines says, 0 where none does; and what the first one says. */
  most: (name: LimitName) => number;
  first: (name: LimitName) => number;
  defaults: { width: number; height: number };
}

interface EngineStore {
  engines: Api.Engine[];
  isLoaded: boolean;
  load: () => Promise<void>;
  shapeOf: (name: string) => Shape;
  on: (fn: (engines: Api.Engine[]) => unknown) => Stop;
  stop: Stop;
}

/** The combobox: its value, its options, its field. */
type Combo = HTMLElement & {
  value: string;
  setOptions: (options: (string | Option)[]) => void;
  input: HTMLInputElement;
};

/** What the stage, the place of the picture in Create, knows. */
interface StageState {
  node: HTMLElement;
  form: FormStore;
  onOpen: (images: Api.Image[], index: number, job: Api.Job) => void;
  onCompare: (job: Api.Job, image: Api.Image) => HTMLElement;
  job: Api.Job | null;
  at: number;
  isComparing: boolean;
  isCovered: boolean;
  isOver: boolean;
  parts: typeof import("../static/js/features/create/stage-job.js") | null;
  stops: Stop[];
  line: HTMLElement;
}

/** What a view gives back when it was drawn: the way to end it. */
interface ViewModule {
  title: string;
  mount: (root: HTMLElement, params: Record<string, string>) => Promise<Stop | undefined>;
}

/** What a command of the feed may do there. */
interface FeedDoors {
  say: (node: HTMLElement) => void;
  fillBox: (text: string) => void;
  attached: () => Api.Media | null;
  file: () => File | null;
  reply: () => Picture | null;
  target: () => Picture | null;
}

/** A command of the feed as it was typed. */
interface Asked {
  text: string;
  typed: string;
  feed: FeedDoors;
}

/** What the API says when it refuses. */
/** Another engine or model that a budget has money for; 0: it is free. */
interface MoneyOffer {
  engine: string;
  backend: string;
  model: string | null;
  cost_usd: number;
}

interface ApiFailure {
  status: number;
  error: string;
  hint?: string;
  field?: string | null;
  code?: string;
  retry_after?: number | null;
  sign_in_url?: string | null;
  cost_usd?: number | null;
  offers?: MoneyOffer[];
  layer?: string;
}

interface ApiOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
  quiet?: boolean;
  as?: "json" | "blob";
}

interface ApiContent {
  body?: unknown;
  query?: object | null;
}

/** The answer of a call: what the path gives, or a file where that was asked for. */
type Answer<Told, O> = Promise<O extends { as: "blob" } ? Blob : Told>;

interface ApiClient {
  get: <P extends string, O extends ApiOptions>(path: P, query?: object | null, options?: O) => Answer<Api.Get<P>, O>;
  post: <P extends string, O extends ApiOptions>(path: P, body?: object, options?: O) => Answer<Api.Post<P>, O>;
  put: <P extends string, O extends ApiOptions>(path: P, body?: object, options?: O) => Answer<Api.Put<P>, O>;
  patch: <P extends string, O extends ApiOptions>(path: P, body?: object, options?: O) => Answer<Api.Patch<P>, O>;
  del: <P extends string, O extends ApiOptions>(path: P, body?: object, options?: O) => Answer<Api.Delete<P>, O>;
  /** Send a file's bytes as the body. */
  upload: <P extends string, O extends ApiOptions>(path: P, blob: Blob, options?: O) => Answer<Api.Post<P>, O>;
}

/** The names in braces of a text: `TextNames<"{a} of {b}">` is "a" | "b"; of a text that is no literal: none. */
type TextNames<T extends string> = string extends T
  ? never
  : T extends `${string}{${infer Name}}${infer Rest}`
    ? Name | TextNames<Rest>
    : never;
type TextValues<T extends string> = [TextNames<T>] extends [never] ? [] : [Record<TextNames<T>, string | number>];
