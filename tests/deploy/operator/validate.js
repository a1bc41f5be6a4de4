// Reads objects of the Prometheus operator, a JSON list, and prints what is wrong with each.
// Its published types let unknown keys pass; a cluster drops those, so they are faults here.
import {readdirSync, readFileSync} from "node:fs";
import {PrometheusRule, ServiceMonitor} from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

const KINDS = {PrometheusRule, ServiceMonitor};
const FREE = new Set(["labels", "annotations", "matchLabels", "params"]);
const types = new URL(
  "node_modules/@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/", import.meta.url);
const known = new Set();
for (const file of readdirSync(types).filter((name) => name.endsWith(".d.ts"))) {
  const text = readFileSync(new URL(file, types), "utf8");
  for (const [, key] of text.matchAll(/^ +"([A-Za-z0-9_]+)"\??:/gm)) known.add(key);
}

function* unknown(value, path) {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* unknown(item, `${path}/${index}`);
  } else if (value && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) {
      if (FREE.has(key)) continue;
      if (!known.has(key)) yield `${path}/${key}: unknown key`;
      yield* unknown(item, `${path}/${key}`);
    }
  }
}

for (const object of JSON.parse(readFileSync(0, "utf8"))) {
  const faults = [...unknown(object.spec, "/spec")];
  try {
    new KINDS[object.kind](object).validate();
  } catch (error) {
    faults.push(String(error.message));
  }
  for (const fault of faults) console.log(`${object.kind} ${object.metadata?.name}: ${fault}`);
}
