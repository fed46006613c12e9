/** The dialog for a visitor who is not signed in, or not any more. */
import { openDialog } from "../ui/dialog.js";

/** Say how to sign in, and go there. @param {string | null} url where to, if that is set up */
export async function askToSignIn(url) {
  const how = url
    ? "You will come back here."
    : "Ask for a link with /studio in Discord, or open the address that Easel printed when it started.";
  const actions = url
    ? [{ label: "Sign in with Discord", value: "go", kind: "primary" }]
    : [{ label: "Try again", value: "again", kind: "primary" }];
  const body = `Your pictures and your queue are yours alone. ${how}`;
  const choice = await openDialog({ title: "Sign in to Easel", body, actions });
  if (choice === "go" && url) location.assign(url);
  else if (choice === "again") location.reload();
}
