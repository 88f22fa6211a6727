/**
 * The shape of a window's layout as it is kept on disk and sent between window and desk. Owns the schema and its bounds; how a layout
 * is changed is the renderer's (renderer/layout), where it is kept is the desk's.
 */
import { z } from "zod";
import { sessionIdSchema, streamRoleSchema } from "../protocol/values.js";

export const layoutVersion = 1;

const paneLeafSchema = z.object({
  kind: z.literal("pane"),
  /** Random and stable: the holder of its stream. */
  holder: z.string().min(8).max(64),
  machine: z.string().min(1).max(64),
  session: sessionIdSchema,
  role: streamRoleSchema,
  /** The session's last known name: what the pane is called when the session is gone. */
  name: z.string().max(64).optional(),
});
export type PaneLeaf = z.infer<typeof paneLeafSchema>;

export interface SplitNode {
  kind: "split";
  /** `row`: children side by side; `column`: one above the other. */
  direction: "row" | "column";
  /** Shares of the length, one a child, adding up to 1. */
  shares: number[];
  children: LayoutNode[];
}
export type LayoutNode = PaneLeaf | SplitNode;

const layoutNodeSchema: z.ZodType<LayoutNode> = z.lazy(() =>
  z.union([
    paneLeafSchema,
    z
      .object({
        kind: z.literal("split"),
        direction: z.enum(["row", "column"]),
        shares: z.array(z.number().min(0).max(1)).min(2).max(64),
        children: z.array(layoutNodeSchema).min(2).max(64),
      })
      .refine((split) => split.shares.length === split.children.length, "one share a child"),
  ]),
);

const tabSchema = z.object({
  id: z.string().min(1).max(64),
  /** Null: named after its active pane. */
  name: z.string().max(64).nullable(),
  /** Null: an empty tab. */
  root: layoutNodeSchema.nullable(),
  /** Holder of the pane with the focus, and of the zoomed one. */
  active: z.string().max(64).nullable(),
  zoomed: z.string().max(64).nullable(),
});
export type Tab = z.infer<typeof tabSchema>;

export const windowLayoutSchema = z.object({
  windowId: z.string().min(1).max(64),
  tabs: z.array(tabSchema).max(500),
  activeTab: z.string().max(64).nullable(),
  sidebar: z.object({ shown: z.boolean(), width: z.number().min(120).max(800) }),
  /** Where the OS window stood, in Electron; null in a browser. */
  bounds: z.object({ x: z.int(), y: z.int(), width: z.int().min(1), height: z.int().min(1) }).nullable(),
});
export type WindowLayout = z.infer<typeof windowLayoutSchema>;

/** The file: every window of the app. */
export const layoutFileSchema = z.object({ version: z.literal(layoutVersion), windows: z.array(windowLayoutSchema).max(100) });
export type LayoutFile = z.infer<typeof layoutFileSchema>;
