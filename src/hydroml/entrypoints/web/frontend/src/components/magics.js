import * as format from "../lib/format.js";
import * as jobs from "../lib/jobs.js";
import { typeOf } from "../lib/types.js";

/** Formatting, in every template: `$count(n)`, `$metric(x)`, `$ago(time)` … (the CSP build takes calls, not code). */
export function registerMagics(Alpine) {
  const magics = {
    count: format.count, number: format.number, metric: format.metric, percent: format.percent, bytes: format.bytes, seconds: format.seconds,
    ms: format.milliseconds, ago: format.ago, moment: format.moment, clock: format.clock, plural: format.plural, sentence: format.sentence, shortId: format.shortId,
    typeIcon: (type) => `#i-${typeOf(type).icon}`, typeLabel: (type) => typeOf(type).label,
    stateLabel: (state) => jobs.stateOf(state).label, stateIcon: (state) => `#i-${jobs.stateOf(state).icon}`, stateTone: (state) => jobs.stateOf(state).tone,
    jobTitle: jobs.jobTitle, jobUrl: jobs.jobUrl, jobPercent: jobs.jobPercent, jobWidth: jobs.jobWidth, jobBar: jobs.jobBar, jobLine: jobs.jobLine, jobTime: jobs.jobTime, isActive: jobs.isActive, subjectUrl: jobs.subjectUrl,
  };
  for (const [name, run] of Object.entries(magics)) Alpine.magic(name, () => run);
}
