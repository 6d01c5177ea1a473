package io.hypercalld.api.client;

import java.util.List;

/** Verbs about remapping units, virtual ones and device models. Immutable. */
final class DeviceModelVerbs {
  private static final String SERVER = "id emulator enabled bufioreq claimsPages pending ranges";
  private static final String FAULT = "index sbdf address type reason name pasid domid";

  private DeviceModelVerbs() {}

  static List<Verb> all() {
    return List.of(
        Verb.of(
            "iommu list",
            "GET /v1/iommus",
            "iommu segment base enabled IDS=domainIds.used CAPACITY=domainIds.capacity devices",
            "the remapping units"),
        Verb.of("iommu show N", "GET /v1/iommus/{N}", "", "one of them"),
        Verb.of(
            "iommu registers N",
            "GET /v1/iommus/{N}/registers",
            "name offset size value fields",
            "its register file"),
        Verb.of(
            "iommu domain-ids N", "GET /v1/iommus/{N}/domain-ids", "domainId domid", "whose ids"),
        Verb.of(
            "iommu context-entries N",
            "GET /v1/iommus/{N}/context-entries",
            "sbdf address lo hi domainId domid secondLevelTable",
            "the context entries in memory"),
        Verb.of(
            "iommu iotlb N",
            "GET /v1/iommus/{N}/iotlb",
            "domainId domid pasid iova maddr page read write",
            "the translations that it remembers"),
        Verb.of(
            "iommu context-cache N",
            "GET /v1/iommus/{N}/context-cache",
            "sbdf domainId domid lo hi fault",
            "the context entries that it remembers"),
        Verb.of("iommu faults N", "GET /v1/iommus/{N}/faults", FAULT, "its fault records"),
        Verb.of(
            "iommu queue N",
            "GET /v1/iommus/{N}/invalidation-queue",
            "descriptors>index address lo hi type",
            "its invalidation queue"),
        Verb.of(
            "iommu interrupt-entries N",
            "GET /v1/iommus/{N}/interrupt-entries",
            "",
            "the entries of its table that are in use"),
        Verb.of("iommu counters N", "GET /v1/iommus/{N}/counters", "", "what it has done"),
        Verb.of(
            "iommu reset-counters N", "POST /v1/iommus/{N}/counters/reset", "", "set them to zero"),
        Verb.of(
            "iommu mmio N OFFSET",
            "POST /v1/iommus/{N}/mmio offset=OFFSET size:json value",
            "",
            "read a register, or write it"),
        Verb.of(
            "iommu explain SBDF IOVA ACCESS=read",
            "GET /v1/explain/dma ?sbdf=SBDF ?iova=IOVA ?access=ACCESS ?pasid",
            "steps>table level address raw verdict note",
            "what would become of a DMA"),
        Verb.of("iommu dump", "POST /v1/debug-keys/Vo", "text", "debug keys V and o"),
        Verb.of("viommu show DOMAIN", "GET /v1/domains/{DOMAIN}/viommu", "", "its virtual IOMMU"),
        Verb.of(
            "viommu create DOMAIN",
            "PUT /v1/domains/{DOMAIN}/viommu type base intremap:json l2:json l1:json"
                + " cachingMode:json",
            "",
            "give it a virtual IOMMU"),
        Verb.of(
            "viommu shadow DOMAIN",
            "GET /v1/domains/{DOMAIN}/viommu/shadow",
            "",
            "the shadows of its tables"),
        Verb.of(
            "viommu diff DOMAIN",
            "GET /v1/domains/{DOMAIN}/viommu/shadow ?diff=true",
            "",
            "where they are not as the guest has them"),
        Verb.of("viommu faults DOMAIN", "GET /v1/domains/{DOMAIN}/viommu/faults", "", "what waits"),
        Verb.of(
            "viommu interrupt-entries DOMAIN",
            "GET /v1/domains/{DOMAIN}/viommu/interrupt-entries",
            "",
            "entries of the guest's table"),
        Verb.of(
            "viommu mmio DOMAIN OFFSET",
            "POST /v1/domains/{DOMAIN}/viommu/mmio offset=OFFSET size:json value",
            "",
            "read a register as the guest would, or write it"),
        Verb.of(
            "ioreq list DOMAIN", "GET /v1/domains/{DOMAIN}/ioreq-servers", SERVER, "device models"),
        Verb.of(
            "ioreq show DOMAIN ID",
            "GET /v1/domains/{DOMAIN}/ioreq-servers/{ID}",
            "",
            "a device model"),
        Verb.of(
            "ioreq create DOMAIN",
            "POST /v1/domains/{DOMAIN}/ioreq-servers bufioreq enabled:json extDestId:json"
                + " ranges:json",
            SERVER,
            "make a device model"),
        Verb.of(
            "ioreq destroy DOMAIN ID",
            "DELETE /v1/domains/{DOMAIN}/ioreq-servers/{ID}",
            "",
            "take it away"),
        Verb.of(
            "ioreq ranges DOMAIN ID",
            "GET /v1/domains/{DOMAIN}/ioreq-servers/{ID}/ranges",
            "type start end",
            "what it answers for"),
        Verb.of(
            "ioreq requests DOMAIN ID",
            "GET /v1/domains/{DOMAIN}/ioreq-servers/{ID}/requests ?wait",
            "id vcpu type dir address size count data state",
            "what it is asked"),
        Verb.of(
            "ioreq respond DOMAIN ID REQUEST",
            "POST /v1/domains/{DOMAIN}/ioreq-servers/{ID}/requests/{REQUEST}/response data",
            "",
            "answer a request"),
        Verb.of(
            "ioreq serve DOMAIN RANGE",
            "POST - unwritten",
            "id vcpu type dir address size data",
            "be a device whose registers keep what is written, until interrupted; RANGE is as"
                + " port:0x3f8-0x3ff"));
  }
}
