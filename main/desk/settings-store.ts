/**
 * The settings file: read once, replaced whole. Owns what is made of a file that does not fit: each value that is wrong falls back to its
 * default and is named; keys of other versions stay in the file. Never rewrites a file to repair it.
 */
import { z } from "zod";
import { defaultSettings, type Settings, settingsSchema, settingsVersion } from "../../link/settings.js";
import { ok, type Result } from "../../protocol/errors.js";
import { JsonStore, type StoreFs } from "../../state/json-store.js";

/** What stands in the file: the settings, and whatever else somebody wrote there. */
const fileSchema = settingsSchema.loose();
type SettingsFile = z.infer<typeof fileSchema>;

const looseObject = z.record(z.string(), z.unknown());

export class SettingsStore {
  readonly #store: JsonStore<SettingsFile>;
  #file: SettingsFile;
  /** What went wrong at the start, in sentences. */
  readonly notices: string[];

  constructor(file: string, fs?: StoreFs) {
    this.#store = new JsonStore<SettingsFile>({
      file,
      schema: fileSchema,
      version: settingsVersion,
      empty: () => defaultSettings,
      salvage,
      ...(fs === undefined ? {} : { fs }),
    });
    const loaded = this.#store.load();
    this.#file = loaded.value;
    this.notices = loaded.notices;
  }

  get current(): Settings {
    return settingsSchema.parse(this.#file);
  }

  /** In force from now on, and in the file. When it cannot be written, the old settings stay in force. */
  save(settings: Settings): Result<Record<string, never>> {
    const next = { ...this.#file, ...settings };
    const saved = this.#store.save(next);
    if (!saved.ok) return saved;
    this.#file = next;
    return ok({});
  }
}

/** Takes what fits, key by key. A file that is no object at all cannot be used. */
function salvage(value: unknown): { value: SettingsFile; notices: string[] } | null {
  const parsed = looseObject.safeParse(value);
  if (!parsed.success) return null;
  const kept: Record<string, unknown> = { ...parsed.data, version: settingsVersion };
  const notices: string[] = [];
  for (const [key, schema] of Object.entries(settingsSchema.shape)) {
    if (key === "version" || !Object.hasOwn(kept, key) || schema.safeParse(kept[key]).success) continue;
    delete kept[key];
    notices.push(`The setting ${key} has a value that does not fit. Its default is used, settings.json is unchanged.`);
  }
  const result = fileSchema.safeParse(kept);
  return result.success ? { value: result.data, notices } : null;
}
