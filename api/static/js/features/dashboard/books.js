/** The books: what was spent by day, person and engine, rented machines, and what is left of the budgets. */

import { h, icon } from "../../ui/dom.js";
import { _, _n } from "../../ui/text.js";
import { money } from "../../ui/words.js";
import { tableOf } from "./table.js";

const MOST_ROWS = 50;

/** @param {Api.Costs} costs of the answer of `/api/costs` */
export function booksPanel(costs) {
  const { budgets, rentals } = costs;
  /** @type {Array<HTMLElement | null>} */
  const parts = [budgets.length ? h("ul", { class: "lanes" }, budgets.map(budgetItem)) : null, sums(costs)];
  if (costs.costs.length) parts.push(costTable(costs.costs));
  if (rentals.length) parts.push(rentalTable(rentals));
  return h("div", {}, parts);
}

/** @param {Api.Budget} budget */
function budgetItem({ scope, most_usd: most, used_usd: used, resets_at: resets }) {
  const names = {
    everybody: _("Everybody together"),
    person: _("You"),
    server: _("Your server"),
    house: _("Your server"),
    role: _("Your role"),
  };
  const time = new Date(resets).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const values = { used: money(used), most: money(most), time };
  return h(
    "li",
    {},
    h("span", { class: "grow" }, names[scope]),
    h("span", { class: "num small" }, _("{used} of {most} today, new at {time}", values)),
  );
}

/** @param {Api.Costs} costs */
function sums({ days, spent_usd: spent, reserved_usd: reserved, unsure_usd: unsure }) {
  if (!spent && !reserved) return h("p", { class: "panel-none" }, icon("info"), _("Nothing was spent."));
  const parts = [_("{spent} in {days} days", { spent: money(spent), days })];
  if (reserved) parts.push(_("{reserved} reserved", { reserved: money(reserved) }));
  if (unsure) parts.push(_("{unsure} of it may not have been charged", { unsure: money(unsure) }));
  return h("p", { class: "muted small num" }, parts.join(" · "));
}

/** @param {Api.Cost[]} rows */
function costTable(rows) {
  const columns = [_("Day"), _("Person"), _("Engine"), _("Pictures"), _("Cost")];
  return tableOf(
    _("Cost by day, person and engine"),
    columns.map((title, at) => ({ title, isNumber: at > 2 })),
    rows.slice(0, MOST_ROWS).map((row) => [row.day, row.user, row.engine, amount(row), money(row.cost_usd)]),
  );
}

/** @param {Api.Cost} row */
const amount = ({ images, answers }) => (answers ? _n("{n} answer", "{n} answers", answers) : images);

/** @param {Api.RentalCost[]} rows */
function rentalTable(rows) {
  const columns = [_("Day"), _("Rented machine"), _("Hours"), _("Cost")];
  return tableOf(
    _("Rented machines by day"),
    columns.map((title, at) => ({ title, isNumber: at > 1 })),
    rows.slice(0, MOST_ROWS).map((row) => [row.day, row.engine, row.hours.toFixed(1), money(row.cost_usd)]),
  );
}
