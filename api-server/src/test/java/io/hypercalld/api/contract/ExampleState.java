package io.hypercalld.api.contract;

import java.util.Set;

/**
 * A machine on which the document's examples mean something.
 *
 * @param machine which is made so
 */
record ExampleState(ServedMachine machine) {
  /**
   * Examples that take seconds; AddressModeExperimentTest, DomainIdExperimentTest and
   * PageClaimExperimentTest send the like.
   */
  static final Set<String> SLOW =
      Set.of(
          "POST /v1/experiments/address-modes",
          "POST /v1/experiments/domain-ids",
          "POST /v1/experiments/ioreq-pages");

  /** What the examples are about. */
  void prepare() {
    machine.post("/_sim/reset", "{}");
    machine.delete("/_sim/snapshots/before");
    machine.delete("/_sim/snapshots/after");
    machine.delete("/v1/machines/spare");
    machine.delete("/v1/machines/other");
    machine.post("/v1/domains", "{\"name\":\"web\",\"memory\":\"1GiB\",\"vcpus\":2}");
    machine.put("/v1/devices/03:10.0/assignment", "{\"domain\":1,\"guestBdf\":\"00:05.0\"}");
    machine.put("/v1/domains/1/viommu", "{\"type\":\"intel_vtd\",\"l2\":true}");
    machine.post(
        "/v1/domains/1/ioreq-servers",
        "{\"ranges\":[{\"type\":\"port\",\"start\":\"0x2f8\",\"end\":\"0x2ff\"}]}");
    machine.put("/v1/domains/1/dma-api", "{\"slabs\":128}");
    machine.post(
        "/_sim/faults",
        "{\"id\":\"slow\",\"when\":{\"skip\":1000},\"effect\":{\"type\":\"queue-error\"}}");
    machine.post("/_sim/snapshots", "{\"name\":\"before\"}");
    machine.post("/v1/machines", "{\"name\":\"spare\",\"memory\":\"8GiB\"}");
  }

  /** The same again, by the shortest way: only what an example took away is made anew. */
  void again() {
    machine.delete("/_sim/snapshots/after");
    machine.delete("/v1/machines/other");
    if (machine.post("/_sim/snapshots/before/restore", "").status() == 200) {
      machine.post("/v1/machines", "{\"name\":\"spare\",\"memory\":\"8GiB\"}");
    } else {
      prepare();
    }
  }
}
