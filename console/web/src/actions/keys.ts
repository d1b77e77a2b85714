// The key of each act, shown on its button and in the help.

import type { CommandName } from "../api/shapes.js";

export const ACT_KEYS: Readonly<Record<CommandName, string>> = {
  acknowledge: "a",
  confirm: "y",
  decline: "d",
  assign: "g",
  note: "n",
  close: "c",
  reopen: "o",
  undo: "u",
};

/** The act that a key stands for. */
export function actOf(key: string): CommandName | undefined {
  return (Object.keys(ACT_KEYS) as CommandName[]).find((name) => ACT_KEYS[name] === key);
}
