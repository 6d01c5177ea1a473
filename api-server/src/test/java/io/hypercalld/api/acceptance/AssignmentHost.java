package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.api.scenario.DaemonUnderTest;
import io.hypercalld.api.scenario.DaemonUnderTest.Answer;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;

/** A host whose devices go from owner to owner, asked over HTTP. */
final class AssignmentHost implements NumberedBehaviours.Host {
  /** {@code DOMID_IO}. */
  static final int IO = 0x7ff1;

  static final int EPERM = -1;
  static final int ESRCH = -3;
  static final int EIO = -5;
  static final int EBADF = -9;
  static final int EFAULT = -14;
  static final int EBUSY = -16;
  static final int EXDEV = -18;
  static final int ENODEV = -19;
  static final int EINVAL = -22;
  static final int EOPNOTSUPP = -95;

  private static final int XEN = 0x7ff2;
  private static final int FLAG_HVM_HAP_IOMMU = 0x23;
  private static final int EMULATE_HVM = 0x3ff;

  private final XenHost xen;

  private AssignmentHost(XenHost xen) {
    this.xen = xen;
  }

  static AssignmentHost on(String platform) {
    return on(PlatformSource.named(platform));
  }

  static AssignmentHost on(PlatformSource source) {
    return new AssignmentHost(XenHost.on(source.load().platform()));
  }

  XenHost xen() {
    return xen;
  }

  DaemonUnderTest daemon() {
    return xen.daemon();
  }

  /** No guests, every device dom0's and whole, nothing that goes wrong, Xen's own policies. */
  void reset() {
    for (JsonNode rule : items("/_sim/faults")) {
      daemon().delete("/_sim/faults/" + rule.get("id").asText());
    }
    xen.clear();
    for (JsonNode device : items("/v1/devices?limit=10000")) {
      String sbdf = device.get("sbdf").asText();
      int owner = device.get("owner").asInt();
      boolean broken = device.get("state").asText().equals("broken");
      if (!broken && owner != 0 && owner != XEN) {
        assertThat(deassign(owner, sbdf)).isZero();
      }
    }
    mend();
    policies("'domainIds':'per-unit','quarantine':'basic','profile':'today'");
  }

  /** Has the hypervisor meet broken devices anew: virtual functions go first and come last. */
  private void mend() {
    List<String> physical = new ArrayList<>();
    List<String> virtual = new ArrayList<>();
    for (JsonNode device : items("/v1/devices?limit=10000&state=broken")) {
      (device.get("physicalFunction").isNull() ? physical : virtual)
          .add(device.get("sbdf").asText());
    }
    virtual.forEach(sbdf -> physdev("pci_device_remove", sbdf, ""));
    physical.forEach(sbdf -> physdev("pci_device_remove", sbdf, ""));
    physical.forEach(sbdf -> physdev("pci_device_add", sbdf, ""));
    virtual.forEach(sbdf -> physdev("pci_device_add", sbdf, ""));
  }

  Answer policies(String members) {
    return daemon().patch("/v1/machine", quoted("{'policies':{%s}}".formatted(members)));
  }

  private static String quoted(String text) {
    return text.replace('\'', '"');
  }

  /** A guest of 2 MiB. */
  int guest() {
    return guest("2MiB");
  }

  int guest(String memory) {
    Answer created =
        daemon().post("/v1/domains", quoted("{'type':'hvm','memory':'%s'}".formatted(memory)));
    assertThat(created.status()).as("%s", created.body()).isEqualTo(201);
    return created.body().get("domid").asInt();
  }

  /** A guest of a number of choice, without memory. */
  int guest(int id) {
    xen.create(id, FLAG_HVM_HAP_IOMMU, EMULATE_HVM, 1);
    return id;
  }

  long assign(int domain, String sbdf) {
    return assign(domain, sbdf, "");
  }

  long assign(int domain, String sbdf, String more) {
    return domctl("assign_device", domain, sbdf, more);
  }

  void given(int domain, String sbdf) {
    XenHost.Result result =
        xen.call(
            "domctl", "assign_device", "{'domain':%d,'machine_sbdf':'%s'}".formatted(domain, sbdf));
    assertThat(result.ret()).as("%s to %d: %s", sbdf, domain, result.detail()).isZero();
  }

  long deassign(int domain, String sbdf) {
    return domctl("deassign_device", domain, sbdf, "");
  }

  long test(int domain, String sbdf) {
    return domctl("test_assign_device", domain, sbdf, "");
  }

  long domctl(String op, int domain, String sbdf, String more) {
    return xen.ret(
        "domctl", op, "{'domain':%d,'machine_sbdf':'%s'%s}".formatted(domain, sbdf, more));
  }

  /** A call about a function by segment, bus and devfn. */
  long physdev(String op, String sbdf, String more) {
    return xen.ret("physdev_op", op, "{" + place(sbdf) + more + "}");
  }

  static String place(String sbdf) {
    Sbdf function = Sbdf.parse(sbdf);
    return "'seg':%d,'bus':%d,'devfn':%d"
        .formatted(function.segment(), function.bus(), function.sourceId().devfn());
  }

  JsonNode device(String sbdf) {
    return daemon().get("/v1/devices/" + sbdf).body();
  }

  int owner(String sbdf) {
    return device(sbdf).get("owner").asInt();
  }

  String state(String sbdf) {
    return device(sbdf).get("state").asText();
  }

  /** The domain-id in the device's context entry; -1 where that is not present. */
  int did(String sbdf) {
    JsonNode did = device(sbdf).get("domainId");
    return did.isNull() ? -1 : did.asInt();
  }

  /** The domain-id in a requester's context entry; -1 where that is not present. */
  int did(int unit, String requester) {
    for (JsonNode entry : items("/v1/iommus/" + unit + "/context-entries?limit=10000")) {
      if (entry.get("sbdf").asText().equals(requester)) {
        return entry.get("domainId").asInt();
      }
    }
    return -1;
  }

  /** The id that stands for a domain on a unit; -1 where none does. */
  int idOf(int unit, int domain) {
    for (JsonNode id : items("/v1/iommus/" + unit + "/domain-ids?limit=10000")) {
      if (id.get("domid").asInt() == domain) {
        return id.get("domainId").asInt();
      }
    }
    return -1;
  }

  /** Ids in use on a unit, as {@code id=owner}. */
  List<String> ids(int unit) {
    List<String> ids = new ArrayList<>();
    items("/v1/iommus/" + unit + "/domain-ids?limit=10000")
        .forEach(id -> ids.add(id.get("domainId").asText() + "=" + id.get("domid").asText()));
    return ids;
  }

  JsonNode items(String path) {
    return daemon().get(path).body().get("items");
  }

  JsonNode write(String sbdf, long address, String hex) {
    return daemon()
        .post(
            "/v1/devices/" + sbdf + "/dma",
            quoted("{'op':'write','address':'0x%x','data':'%s'}".formatted(address, hex)))
        .body();
  }

  JsonNode read(String sbdf, long address) {
    return daemon()
        .post(
            "/v1/devices/" + sbdf + "/dma",
            quoted("{'op':'read','address':'0x%x','length':4}".formatted(address)))
        .body();
  }

  /** {@code done}, or the reason of the fault. */
  String outcome(String sbdf, long address) {
    JsonNode answer = write(sbdf, address, "5a");
    return answer.get("outcome").asText().equals("done")
        ? "done"
        : answer.at("/fault/reason").asText();
  }

  /** Where a DMA arrives, if it does. */
  String maddr(String sbdf, long address) {
    return write(sbdf, address, "5a").at("/segments/0/maddr").asText();
  }

  /** The context entries of a unit that are present. */
  JsonNode entries(int unit) {
    return items("/v1/iommus/" + unit + "/context-entries?limit=10000");
  }

  /** Requesters of a unit that translate for a domain's id. */
  List<String> requesters(int unit, int domain) {
    List<String> requesters = new ArrayList<>();
    for (JsonNode entry : entries(unit)) {
      if (entry.get("domainId").asInt() == idOf(unit, domain)) {
        requesters.add(entry.get("sbdf").asText());
      }
    }
    return requesters;
  }

  /** The root of the second-stage table of a requester. */
  String table(int unit, String requester) {
    for (JsonNode entry : entries(unit)) {
      if (entry.get("sbdf").asText().equals(requester)) {
        return entry.get("secondLevelTable").asText();
      }
    }
    throw new AssertionError(requester + " has no context entry");
  }

  /** Whom a function's id stands for on its unit. */
  int pseudoId(int unit, String function) {
    String id = did(function) + "=";
    return ids(unit).stream()
        .filter(each -> each.startsWith(id))
        .mapToInt(each -> Integer.parseInt(each.substring(id.length())))
        .findAny()
        .orElseThrow();
  }

  /** Slots of a unit's map from id to owner. */
  int mapSlots(int unit) {
    return Integer.parseInt(daemon().get("/v1/iommus/" + unit).at("/domainIds/mapSlots"));
  }

  /** Translations that a unit remembers under an id. */
  List<JsonNode> remembered(int unit, int did) {
    List<JsonNode> entries = new ArrayList<>();
    for (JsonNode entry : items("/v1/iommus/" + unit + "/iotlb?limit=1000")) {
      if (entry.get("domainId").asInt() == did) {
        entries.add(entry);
      }
    }
    return entries;
  }

  /** Commands of every kind that a unit was given since its counters were reset. */
  long commands(int unit) {
    long sum = 0;
    for (JsonNode flushes :
        daemon().get("/v1/iommus/" + unit + "/counters").body().get("flushes")) {
      sum += flushes.asLong();
    }
    return sum;
  }

  /** The domain-id of the last IOTLB descriptor that a unit was given. */
  int lastFlushedId(int unit) {
    JsonNode queue = daemon().get("/v1/iommus/" + unit + "/invalidation-queue").body();
    int tail = queue.get("tail").asInt();
    int size = queue.get("size").asInt();
    for (int back = 1; back <= size; back++) {
      int index = Math.floorMod(tail - back, size);
      for (JsonNode descriptor : queue.get("descriptors")) {
        long lo = Long.decode(descriptor.get("lo").asText());
        if (descriptor.get("index").asInt() == index && (lo & 0xf) == 2) {
          return (int) (lo >> 16 & 0xffff);
        }
      }
    }
    return -1;
  }

  /** Whom the last fault record of a device is laid to. */
  int culprit(int unit, String device) {
    int domid = -1;
    for (JsonNode fault : items("/v1/iommus/" + unit + "/faults")) {
      if (fault.get("sbdf").asText().equals(device)) {
        domid = fault.get("domid").asInt();
      }
    }
    return domid;
  }

  void inject(String rule) {
    Answer answer = daemon().post("/_sim/faults", quoted(rule));
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
  }

  /** Has the next command of a kind about a requester time out, after some that pass. */
  void timeOut(String requester, String command, int skip, int times) {
    inject(
        ("{'match':{'sbdf':'%s','command':'%s'},'when':{'skip':%d,'times':%d},"
                + "'effect':{'type':'invalidation-timeout'}}")
            .formatted(requester, command, skip, times));
  }

  void healed() {
    for (JsonNode rule : items("/_sim/faults")) {
      daemon().delete("/_sim/faults/" + rule.get("id").asText());
    }
  }

  long flushes(int unit, String granularity) {
    return daemon()
        .get("/v1/iommus/" + unit + "/counters")
        .body()
        .at("/flushes/" + granularity)
        .asLong();
  }

  void resetCounters() {
    daemon().post("/v1/machine/counters/reset", "");
  }

  /** What every consistency check has to say. */
  List<String> violations() {
    List<String> details = new ArrayList<>();
    daemon()
        .get("/_sim/invariants")
        .body()
        .get("violations")
        .forEach(
            each ->
                details.add(each.get("invariant").asText() + " " + each.get("detail").asText()));
    return details;
  }

  /** Has something refused that must then have changed nothing. */
  void refuses(long errno, java.util.function.LongSupplier call) {
    String before = xen.digest();
    assertThat(call.getAsLong()).isEqualTo(errno);
    assertThat(xen.digest()).as("state after a refusal").isEqualTo(before);
  }

  @Override
  public void close() {
    xen.close();
  }
}
