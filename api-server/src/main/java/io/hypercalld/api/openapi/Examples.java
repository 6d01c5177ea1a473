package io.hypercalld.api.openapi;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Route;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What requests may look like; a test sends every one of them. Immutable. */
final class Examples {
  /** What required query parameters may be. */
  private static final Map<String, String> PARAMETERS =
      Map.of(
          "sbdf", "0000:03:10.0",
          "iova", "0x3000",
          "access", "read",
          "gpa", "0x3000",
          "maddr", "0x1000",
          "length", "16",
          "domid", "1",
          "address", "0xfee00000",
          "data", "0x41",
          "from", "before");

  /** Parameters in whose place another one may be there. */
  private static final Set<String> ALTERNATIVES = Set.of("/v1/explain/access?gpa");

  /** What may stand at the places of paths. */
  private static final Map<String, String> PLACES =
      Map.ofEntries(
          Map.entry("d", "1"),
          Map.entry("machine", "spare"),
          Map.entry("sbdf", "0000:03:10.0"),
          Map.entry("bdf", "00:03.0"),
          Map.entry("n", "0"),
          Map.entry("hpet", "0"),
          Map.entry("comparator", "0"),
          Map.entry("processor", "1"),
          Map.entry("gsi", "16"),
          Map.entry("keys", "V"),
          Map.entry("v", "0"),
          Map.entry("driver", "console"),
          Map.entry("gfn", "0x3"),
          Map.entry("mfn", "0x140003"),
          Map.entry("id", "0"),
          Map.entry("rule", "slow"),
          Map.entry("rid", "1"),
          Map.entry("number", "1"),
          Map.entry("name", "before"),
          Map.entry("call", "domctl"),
          Map.entry("op", "getdomaininfo"),
          Map.entry("type", "device-busy"),
          Map.entry("asset", "start.js"));

  /** The body of a method of a path, one a line. */
  private static final String BODIES =
      """
      PATCH /v1/machine {"policies":{"flush":"deferred"}}
      POST /v1/machines {"name":"other","platform":"two-socket","memory":"8GiB"}
      POST /v1/domains {"name":"db","type":"hvm","memory":"64MiB","vcpus":2}
      PATCH /v1/domains/{d} {"policies":{"flush":"per-call"}}
      PUT /v1/devices/{sbdf}/assignment {"domain":1,"guestBdf":"00:05.0"}
      POST /v1/devices/{sbdf}/dma {"op":"write","address":"0x3000","data":"c0ffee"}
      POST /v1/devices/{sbdf}/msi {"address":"0xfee00000","data":"0x41"}
      PUT /v1/devices/{sbdf}/command {"busMaster":true}
      PUT /_sim/processors/{processor} {"online":false}
      PUT /_sim/hpets/{hpet}/comparators/{comparator} {"processor":1}
      POST /_sim/pci {"address":"0000:06:00.1","vendor":"0x8086","device":"0x10fb","class":"0x020000","kind":"pcie-endpoint"}
      PUT /v1/domains/{d}/vcpus/{v}/apic {"mode":"x2apic"}
      PUT /v1/domains/{d}/vcpus/{v}/placement {"state":"running","processor":1}
      POST /v1/iommus/{n}/mmio {"offset":"0x18","size":4}
      PUT /v1/memory {"maddr":"0x1000","data":"c0ffee00"}
      PUT /v1/domains/{d}/memory {"gpa":"0x3000","data":"c0ffee00"}
      POST /v1/domains/{d}/vcpus/{v}/access {"gpa":"0x3000","op":"read","size":4}
      POST /v1/domains/{d}/vcpus/{v}/io {"port":"0x80","op":"out","size":1,"data":"0x41"}
      POST /v1/domains/{d}/accesses {"accesses":[{"vcpu":0,"op":"write","gpa":"0x3000","size":4,"data":"0x1"}]}
      POST /v1/domains/{d}/ioreq-servers {"ranges":[{"type":"port","start":"0x3f8","end":"0x3ff"}]}
      PATCH /v1/domains/{d}/ioreq-servers/{id} {"enabled":true}
      POST /v1/domains/{d}/ioreq-servers/{id}/ranges {"type":"port","start":"0x3e8","end":"0x3ef"}
      DELETE /v1/domains/{d}/ioreq-servers/{id}/ranges {"type":"port","start":"0x2f8","end":"0x2ff"}
      PUT /v1/domains/{d}/ioreq-timeout {"afterNanos":1000000,"action":"wait"}
      POST /v1/domains/{d}/ioreq-servers/{id}/requests/{rid}/response {"data":"0x1"}
      PUT /v1/domains/{d}/viommu {"type":"intel_vtd","intremap":true,"l2":true}
      POST /v1/domains/{d}/viommu/mmio {"offset":"0x8","size":8}
      PUT /v1/domains/{d}/virtual-devices/{bdf} {"iotlbEntries":16}
      POST /v1/domains/{d}/virtual-devices/{bdf}/dma {"op":"read","address":"0x3000","length":4}
      POST /v1/domains/{d}/virtual-devices/{bdf}/msi {"address":"0xfee00000","data":"0x41"}
      POST /v1/experiments/page-tables {"memory":"4MiB","operations":10,"sweep":"1MiB","modes":["shared-4K","separate-4K"]}
      POST /v1/experiments/sync-hooks {"hooks":["balloon"]}
      POST /v1/experiments/domain-ids {"platform":"four-nics-64","neighbours":1}
      POST /v1/experiments/ioreq-pages {"memory":"128MiB","contexts":2,"writes":10,"updates":["lazy"]}
      POST /v1/experiments/viommu-modes {"memory":"16MiB"}
      POST /v1/experiments/vcpu-reach {"most":4}
      POST /v1/experiments/msi-retargets {"vcpus":4,"retargets":2}
      POST /v1/domains/{d}/vcpus/{v}/ipi {"icr":"0x4051"}
      POST /v1/experiments/viommu-timeline {"cachingMode":true}
      POST /v1/experiments/translate-calls {"dmas":10,"pages":4,"entries":[4],"locality":[50]}
      POST /v1/experiments/shadow-costs {"maps":10,"batch":2,"present":"2MiB","scopes":["page"]}
      PUT /v1/domains/{d}/dma-api {"slabs":128}
      POST /v1/experiments/tlb-insert {"recheck":false}
      POST /v1/experiments/hardware-domain-table {"ram":[{"base":"0x0","limit":"0xfffff"}],"xen":[]}
      POST /v1/hypercalls/{call}/{op} {"domain":1}
      POST /v1/hypercalls/multicall [{"call":"domctl","op":"getdomaininfo","args":{"domain":1}}]
      POST /v1/domains/{d}/dma-api/map {"device":"0000:03:10.0","address":"0x3000","length":64,"direction":"to_device"}
      POST /v1/domains/{d}/dma-api/unmap {"device":"0000:03:10.0","address":"0x3000","length":64,"direction":"to_device"}
      POST /v1/domains/{d}/dma-api/map-sg {"device":"0000:03:10.0","buffers":[{"address":"0x3000","length":64}],"direction":"to_device"}
      POST /v1/domains/{d}/dma-api/unmap-sg {"device":"0000:03:10.0","buffers":[{"address":"0x3000","length":64}],"direction":"to_device"}
      POST /v1/domains/{d}/dma-api/sync {"address":"0x3000","length":64,"direction":"to_device"}
      POST /v1/domains/{d}/dma-api/alloc-coherent {"device":"0000:03:10.0","length":4096}
      POST /v1/domains/{d}/dma-api/free-coherent {"address":"0x3000"}
      POST /v1/domains/{d}/dma-api/create-contiguous {"gfn":"0x10","order":1}
      POST /v1/domains/{d}/dma-api/destroy-contiguous {"gfn":"0x10","order":1}
      POST /v1/domains/{d}/drivers/{driver} {}
      POST /v1/experiments/address-modes {"study":"porting"}
      POST /v1/domains/{d}/vcpus/{v}/interrupts {"action":"acknowledge"}
      POST /v1/domains/{d}/vm-events/responses {"id":1}
      PUT /_sim/pci/{sbdf}/buses {"secondary":7}
      POST /v1/domains/{d}/vcpus/{v}/ipi {"icr":"0x4041"}
      PUT /v1/domains/{d}/viommu/record {"record":"00"}
      POST /v1/experiments/vcpu-reach {"most":4}
      POST /v1/experiments/msi-retargets {"vcpus":4,"retargets":4}
      POST /v1/experiments/tlb-insert {"recheck":true}
      POST /v1/experiments/nested-walks {"explained":false}
      POST /_sim/preempt {"every":16}
      POST /_sim/clock {"advanceNanos":1000}
      POST /_sim/iommus/{n}/reset {"power":false}
      POST /_sim/pace {"nanoseconds":0}
      POST /_sim/reserved-regions {"base":"0x7c000000","limit":"0x7c000fff","devices":["0000:03:10.1"]}
      POST /_sim/faults {"id":"flaky","match":{"iommu":0},"when":{"skip":5,"times":1},"effect":{"type":"invalidation-timeout"}}
      POST /_sim/devices/{sbdf}/ats {"translations":false}
      POST /_sim/devices/{sbdf}/writes {"held":false}
      POST /_sim/reset {}
      POST /_sim/snapshots {"name":"after"}
      POST /_sim/snapshots/{name}/restore {}
      """;

  private static final Map<String, Object> BODY_OF =
      BODIES.lines().collect(Collectors.toMap(Examples::key, Examples::body, (one, other) -> one));

  private Examples() {}

  private static String key(String line) {
    String[] words = line.split(" ", 3);
    return words[0] + " " + words[1];
  }

  private static Object body(String line) {
    byte[] text = line.split(" ", 3)[2].getBytes(UTF_8);
    return JsonReader.readAll(text, Shapes.RESOURCES.of(Object.class));
  }

  /** What may be sent to a route. */
  static Optional<Object> body(Route route) {
    return Optional.ofNullable(BODY_OF.get(route.method() + " " + route.path().text()));
  }

  /** What may stand at a place of a path. */
  static Optional<String> place(String name) {
    return Optional.ofNullable(PLACES.get(name));
  }

  /** What a query parameter may be where one has to be there. */
  static Optional<String> parameter(Route route, Parameter parameter) {
    boolean due =
        parameter.required() || ALTERNATIVES.contains(route.path().text() + "?" + parameter.name());
    return due ? Optional.ofNullable(PARAMETERS.get(parameter.name())) : Optional.empty();
  }
}
