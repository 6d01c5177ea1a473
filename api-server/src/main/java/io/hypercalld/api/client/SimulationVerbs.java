package io.hypercalld.api.client;

import java.util.List;

/** Verbs about the simulation, events and the daemon itself. Immutable. */
final class SimulationVerbs {
  private static final String SNAPSHOT = "name nowNanos digest";
  private static final String CHANGES = "changes>resource CHANGE=~";

  private SimulationVerbs() {}

  static List<Verb> all() {
    return List.of(
        Verb.of(
            "events",
            "GET /v1/events ?types ?domid:domid ?sbdf ?since",
            "id TIME=simtimens type source DATA=data",
            "what happened; with --follow also what happens"),
        Verb.of("sim reset", "POST /_sim/reset", "", "start the machine anew"),
        Verb.of("sim snapshots", "GET /_sim/snapshots", SNAPSHOT, "the snapshots"),
        Verb.of(
            "sim snapshot NAME", "POST /_sim/snapshots name=NAME", SNAPSHOT, "keep it as it is"),
        Verb.of(
            "sim restore NAME",
            "POST /_sim/snapshots/{NAME}/restore",
            SNAPSHOT,
            "go on from a snapshot"),
        Verb.of("sim forget NAME", "DELETE /_sim/snapshots/{NAME}", "", "forget a snapshot"),
        Verb.of(
            "sim diff FROM", "GET /_sim/diff ?from=FROM ?to", CHANGES, "what is different since"),
        Verb.of("sim faults", "GET /_sim/faults", "id match when effect hits", "what goes wrong"),
        Verb.of(
            "sim fault k=v..", "POST /_sim/faults", "id match when effect hits", "have it fail"),
        Verb.of("sim mend ID", "DELETE /_sim/faults/{ID}", "", "have it fail no more"),
        Verb.of("sim journal", "GET /_sim/journal", "text", "every command since the start"),
        Verb.of("sim replay FILE", "POST /_sim/replay", "", "execute a journal on a machine anew"),
        Verb.of("sim export", "GET /_sim/export", "text", "the whole machine, to standard output"),
        Verb.of("sim import FILE", "POST /_sim/import", "", "go on from an exported machine"),
        Verb.of(
            "sim requests",
            "GET /_sim/requests",
            "number time method path status requestId",
            "what was asked last"),
        Verb.of("sim clock", "GET /_sim/clock", "", "the machine's time"),
        Verb.of(
            "sim advance NANOS",
            "POST /_sim/clock advanceNanos:json=NANOS",
            "",
            "let time pass for the machine"),
        Verb.of("sim digest", "GET /_sim/digest", "", "the digest of the whole state"),
        Verb.of(
            "sim invariants", "GET /_sim/invariants", "violations>invariant detail", "check all"),
        Verb.of(
            "sim preempt EVERY",
            "POST /_sim/preempt every:json=EVERY",
            "",
            "have long hypercalls stop after so many steps"),
        Verb.of("sim continuations", "GET /_sim/continuations", "", "hypercalls that can go on"),
        Verb.of("sim continue NUMBER", "POST /_sim/continuations/{NUMBER}", "", "let one go on"),
        Verb.of(
            "experiment NAME k=v..", "POST /v1/experiments/{NAME}", "text", "put a question to it"),
        Verb.of(
            "xl COMMAND k=v..",
            "GET -",
            "text",
            "what xl prints: list, info, pci-list, pci-assignable-list, pci-attach, pci-detach,"
                + " dmesg, debug-keys"),
        Verb.of("bundle", "GET -", "", "all that helps with a bug report, as one JSON document"),
        Verb.of(
            "completion SHELL", "GET -", "text", "what a shell (bash or zsh) needs to complete"));
  }
}
