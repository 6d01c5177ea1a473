package io.hypercalld.api.client;

import java.util.List;

/** Verbs about the machine, its domains, their memory and devices. Immutable. */
final class HypervisorVerbs {
  private static final String DOMAIN =
      "domid name type state vcpus MEMORY=%memoryBytes pageTables DEVICES=#devices";
  private static final String MACHINE =
      "name platform MEMORY=%memoryBytes iommus queued uptimeSeconds";
  private static final String DEVICE = "sbdf class state owner iommu domainId guestBdf description";
  private static final String RUNS = "gfn mfn order type access count";
  private static final String STEPS = "steps>table level address raw verdict note";

  private HypervisorVerbs() {}

  static List<Verb> all() {
    return List.of(
        Verb.of("machine list", "GET /v1/machines", MACHINE, "the machines of the daemon"),
        Verb.of(
            "machine create NAME",
            "POST /v1/machines name=NAME platform memory policies:json",
            MACHINE,
            "boot another one"),
        Verb.of("machine destroy NAME", "DELETE /v1/machines/{NAME}", "", "end it"),
        Verb.of("machine show", "GET /v1/machine", "", "memory, policies and platform"),
        Verb.of(
            "machine policies k=v..",
            "PATCH /v1/machine policies=*",
            "",
            "change policies that may change at run time"),
        Verb.of(
            "machine read MADDR LENGTH",
            "GET /v1/memory ?maddr=MADDR ?length=LENGTH",
            "",
            "bytes of machine memory"),
        Verb.of(
            "machine write MADDR DATA",
            "PUT /v1/memory ?maddr=MADDR data=DATA",
            "",
            "write machine memory"),
        Verb.of("machine counters", "GET /v1/machine/counters", "", "what it has done"),
        Verb.of(
            "machine reset-counters", "POST /v1/machine/counters/reset", "", "set them to zero"),
        Verb.of(
            "policies", "GET /v1/policies", "name appliesTo default alternatives", "every policy"),
        Verb.of("console", "GET /v1/console", "text", "what the hypervisor says"),
        Verb.of(
            "debug-keys KEYS", "POST /v1/debug-keys/{KEYS}", "text", "what Xen's debug keys print"),
        Verb.of("domain list", "GET /v1/domains ?state", DOMAIN, "the domains, by id"),
        Verb.of("domain show DOMAIN", "GET /v1/domains/{DOMAIN}", "", "one domain"),
        Verb.of(
            "domain create NAME",
            "POST /v1/domains name=NAME uuid type memory vcpus:json pageTables p2mPageSize"
                + " viommu:json xlViommu:json policies:json",
            DOMAIN,
            "create, limit and populate a domain"),
        Verb.of("domain destroy DOMAIN", "DELETE /v1/domains/{DOMAIN}", "", "destroy a domain"),
        Verb.of(
            "domain pause DOMAIN",
            "POST /v1/domains/{DOMAIN}/actions/pause",
            DOMAIN,
            "stop its vCPUs; counted"),
        Verb.of(
            "domain unpause DOMAIN",
            "POST /v1/domains/{DOMAIN}/actions/unpause",
            DOMAIN,
            "let its vCPUs go on; counted"),
        Verb.of(
            "domain policies DOMAIN k=v..",
            "PATCH /v1/domains/{DOMAIN} policies=*",
            "",
            "change policies that may change while it lives"),
        Verb.of(
            "domain counters DOMAIN", "GET /v1/domains/{DOMAIN}/counters", "", "what it has cost"),
        Verb.of(
            "domain reset-counters DOMAIN",
            "POST /v1/domains/{DOMAIN}/counters/reset",
            "",
            "set them to zero"),
        Verb.of(
            "domain vcpus DOMAIN",
            "GET /v1/domains/{DOMAIN}/vcpus",
            "vcpu state server request ageNanos",
            "what each vCPU waits for"),
        Verb.of(
            "domain access DOMAIN VCPU OP GPA",
            "POST /v1/domains/{DOMAIN}/vcpus/{VCPU}/access op=OP gpa=GPA size:json data count:json"
                + " df:json ram:json",
            "",
            "have a vCPU read, write or add in memory"),
        Verb.of(
            "domain io DOMAIN VCPU OP PORT",
            "POST /v1/domains/{DOMAIN}/vcpus/{VCPU}/io op=OP port=PORT size:json data count:json"
                + " df:json ram:json",
            "",
            "have a vCPU read (in) or write (out) a port"),
        Verb.of(
            "domain read DOMAIN GPA LENGTH",
            "GET /v1/domains/{DOMAIN}/memory ?gpa=GPA ?length=LENGTH",
            "",
            "bytes of its memory"),
        Verb.of(
            "domain write DOMAIN GPA DATA",
            "PUT /v1/domains/{DOMAIN}/memory ?gpa=GPA data=DATA",
            "",
            "write its memory"),
        Verb.of(
            "domain reachability DOMAIN",
            "GET /v1/domains/{DOMAIN}/interrupt-reachability",
            "boot>guest boots online stopsAt",
            "which vCPUs an interrupt can reach, and how far guests boot"),
        Verb.of("device list", "GET /v1/devices ?owner ?state ?iommu", DEVICE, "the PCI functions"),
        Verb.of("device show SBDF", "GET /v1/devices/{SBDF}", "", "one PCI function"),
        Verb.of(
            "device group SBDF",
            "GET /v1/devices/{SBDF}/group",
            DEVICE,
            "those that go together with it"),
        Verb.of(
            "device assign SBDF DOMAIN",
            "PUT /v1/devices/{SBDF}/assignment domain:domid=DOMAIN flags:list guestBdf",
            DEVICE,
            "give it to a domain"),
        Verb.of(
            "device deassign SBDF",
            "DELETE /v1/devices/{SBDF}/assignment",
            "",
            "take it from its domain"),
        Verb.of(
            "device dma SBDF OP ADDRESS",
            "POST /v1/devices/{SBDF}/dma op=OP address=ADDRESS length:json data pasid:json"
                + " privileged:json execute:json",
            "segments>iova length maddr page cache",
            "have it read or write"),
        Verb.of(
            "device msi SBDF ADDRESS DATA",
            "POST /v1/devices/{SBDF}/msi address=ADDRESS data=DATA pasid:json",
            "",
            "have it send an interrupt message"),
        Verb.of(
            "p2m show DOMAIN",
            "GET /v1/domains/{DOMAIN}/p2m ?from ?to ?type",
            RUNS,
            "what is mapped, in runs"),
        Verb.of(
            "p2m lookup DOMAIN GFN",
            "GET /v1/domains/{DOMAIN}/p2m/{GFN}",
            "walk>level address raw verdict",
            "what is behind one frame"),
        Verb.of(
            "p2m set DOMID GFN NR TYPE",
            "POST /v1/hypercalls/dm_op/set_mem_type domid:domid=DOMID first_pfn=GFN nr:json=NR"
                + " mem_type:json=TYPE",
            "",
            "change the type of frames; 0 ram, 1 read-only, 2 mmio, 4 ioreq_server"),
        Verb.of(
            "p2m audit",
            "GET /_sim/invariants",
            "violations>invariant detail",
            "check every table"),
        Verb.of(
            "explain dma SBDF IOVA ACCESS=read",
            "GET /v1/explain/dma ?sbdf=SBDF ?iova=IOVA ?access=ACCESS ?pasid",
            STEPS,
            "what would become of a DMA"),
        Verb.of(
            "explain access DOMID GPA ACCESS=read",
            "GET /v1/explain/access ?domid:domid=DOMID ?gpa=GPA ?access=ACCESS ?size",
            STEPS,
            "what would become of a guest's access"),
        Verb.of(
            "explain interrupt SBDF ADDRESS DATA",
            "GET /v1/explain/interrupt ?sbdf=SBDF ?address=ADDRESS ?data=DATA",
            STEPS,
            "what would become of an interrupt message"),
        Verb.of("hypercalls", "GET /v1/hypercalls", "call op level errnos", "every hypercall"),
        Verb.of(
            "hypercall CALL OP k=v..",
            "POST /v1/hypercalls/{CALL}/{OP} ?caller",
            "",
            "make a hypercall"));
  }
}
