/** The dialog for a visitor who is not signed in, or not any more. */

import { openDialog } from "../ui/dialog.js";
import { _ } from "../ui/text.js";

/** Say how to sign in, and go there. @param {string | null} url where to, if that is set up */
export async function askToSignIn(url) {
  const how = url
    ? _("You will come back here.")
    : _("Ask for a link with /studio in Discord, or open the address that Easel printed when it started.");
  const actions = url
    ? [{ label: _("Sign in with Discord"), value: "go", kind: "primary" }]
    : [{ label: _("Try again"), value: "again", kind: "primary" }];
  const body = _("Your pictures and your queue are yours alone. {how}", { how });
  const choice = await openDialog({ title: _("Sign in to Easel"), body, actions });
  if (choice === "go" && url) location.assign(url);
  else if (choice === "again") location.reload();
}
