package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBADF;
import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.AssignmentHost.EINVAL;
import static io.hypercalld.api.acceptance.AssignmentHost.EIO;
import static io.hypercalld.api.acceptance.AssignmentHost.ENODEV;
import static io.hypercalld.api.acceptance.AssignmentHost.EOPNOTSUPP;
import static io.hypercalld.api.acceptance.AssignmentHost.EPERM;
import static io.hypercalld.api.acceptance.AssignmentHost.ESRCH;
import static io.hypercalld.api.acceptance.AssignmentHost.IO;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/** B150 to B174 and B180 to B182: devices that are given, taken, refused and lost. */
final class AssignmentAcceptanceTest implements AssignmentBehaviours {
  private static final String X = "0000:03:10.0";
  private static final String NIC = "0000:03:00.0";
  private static final String NIC_B = "0000:04:00.0";
  private static final String USB = "0000:00:14.0";
  private static final long USB_REGION = 0x7b46_1000L;
  private static final String USB_GFN = "0x7b461";
  private static final String SHARED_1 = "0000:00:1a.0";
  private static final String SHARED_2 = "0000:00:1d.0";
  private static final String SHARED_GFN = "0x7b470";
  private static final String SOUND = "0000:08:01.0";
  private static final String MODEM = "0000:08:02.0";
  private static final String BRIDGE = "0000:07:00.0";
  private static final String BELOW_BRIDGE = "0000:08:00.0";
  private static final String FIRMWARE_DISK = "0000:09:01.0";
  private static final String PHANTOM = "0000:0a:00.0";
  private static final String PHANTOM_4 = "0000:0a:00.4";
  private static final String MASKED = "0000:0a:01.0";
  private static final String HIDDEN = "0000:00:12.0";
  private static final String BESIDE_HIDDEN = "0000:00:13.0";
  private static final int REST = 5;
  private static final long ADDRESS = 0x3000;
  private static final int FUNCTIONS_OF_B = 24;
  private static final int FIRST_PSEUDO_ID = 0x8000;

  @Override
  public Stream<Row<AssignmentHost>> rows() {
    return Stream.of(ownership(), refusals(), regions(), bridges(), failures(), functions())
        .flatMap(rows -> rows);
  }

  private static Stream<Row<AssignmentHost>> ownership() {
    return Stream.of(
        row(
            "B150 a device has one guest at a time, and goes through quarantine to the next",
            h -> {
              int first = h.guest();
              int second = h.guest();
              h.given(first, X);
              h.refuses(EBUSY, () -> h.assign(second, X));
              h.refuses(EBUSY, () -> h.assign(first, X));
              assertThat(h.test(second, X)).isEqualTo(EINVAL);
              assertThat(h.deassign(first, X)).isZero();
              assertThat(h.owner(X)).isEqualTo(IO);
              h.given(second, X);
            }),
        row(
            "B152 from quarantine it goes back to dom0",
            h -> {
              assertThat(h.assign(IO, X)).isZero();
              assertThat(h.state(X)).isEqualTo("quarantined");
              assertThat(h.outcome(X, 0x10_0000)).isEqualTo("0x2");
              assertThat(h.deassign(IO, X)).isZero();
              assertThat(h.owner(X)).isZero();
              assertThat(h.outcome(X, 0x10_0000)).isEqualTo("done");
            }),
        row(
            "B174 a domain that is destroyed leaves nothing behind",
            h -> {
              // Its table for quarantine, which it keeps.
              int earlier = h.guest();
              h.given(earlier, USB);
              h.daemon().delete("/v1/domains/" + earlier);
              String free = h.daemon().get("/v1/machine").at("/memory/freeBytes");
              int guest = h.guest();
              String[] devices = {X, SOUND, BESIDE_HIDDEN, USB};
              for (String device : devices) {
                h.given(guest, device);
              }
              assertThat(h.xen().type(guest, USB_GFN)).isEqualTo("mmio_direct");
              assertThat(h.requesters(REST, guest)).hasSize(4).contains(BRIDGE, BELOW_BRIDGE);
              h.daemon().delete("/v1/domains/" + guest);
              for (String device : devices) {
                assertThat(h.owner(device)).isEqualTo(IO);
              }
              for (int unit : new int[] {0, 4, REST}) {
                assertThat(h.idOf(unit, guest)).isEqualTo(-1);
                assertThat(h.entries(unit))
                    .extracting(entry -> entry.get("domid").asInt())
                    .allMatch(owner -> owner == 0 || owner >= FIRST_PSEUDO_ID);
              }
              assertThat(h.daemon().get("/v1/machine").at("/memory/freeBytes")).isEqualTo(free);
            }));
  }

  private static Stream<Row<AssignmentHost>> refusals() {
    return Stream.of(
        row(
            "B151 an unknown device is ENODEV, in the test EINVAL",
            h -> {
              int guest = h.guest();
              h.refuses(ENODEV, () -> h.assign(guest, "0000:99:00.0"));
              assertThat(h.test(guest, "0000:99:00.0")).isEqualTo(EINVAL);
            }),
        row(
            "B153 taking it from a domain that has it not is ENODEV",
            h -> {
              int guest = h.guest();
              h.refuses(ENODEV, () -> h.deassign(guest, X));
            }),
        row(
            "B154 flags, kind, target and domain are checked",
            h -> {
              int guest = h.guest();
              h.refuses(EINVAL, () -> h.assign(guest, X, ",'flags':2"));
              h.refuses(ENODEV, () -> h.assign(guest, X, ",'dev':7"));
              h.refuses(EINVAL, () -> h.assign(0, X));
              h.refuses(ESRCH, () -> h.assign(0x7ff4, X));
              h.refuses(EINVAL, () -> h.domctl("deassign_device", guest, X, ",'flags':1"));
            }),
        row(
            "B155 a dying domain gets nothing",
            h -> {
              int guest = h.guest();
              h.daemon().post("/_sim/preempt", "{\"every\":1}");
              h.daemon().hypercall("domctl", "destroydomain", "{'domain':" + guest + "}");
              JsonNode pending = h.items("/_sim/continuations");
              assertThat(pending).isNotEmpty();
              h.refuses(EINVAL, () -> h.assign(guest, X));
              h.daemon().post("/_sim/preempt", "{\"every\":0}");
              h.daemon().post("/_sim/continuations/" + pending.get(0).get("number"), "");
            }),
        row(
            "B156 a domain without IOMMU is EOPNOTSUPP",
            h -> {
              h.xen().hvm(900, 1, 16);
              h.refuses(EOPNOTSUPP, () -> h.assign(900, X));
            }),
        row(
            "B167 a host bridge is not given away, a port is, without an entry",
            h -> {
              int guest = h.guest();
              h.refuses(EPERM, () -> h.assign(guest, "0000:00:00.0"));
              h.given(guest, "0000:00:06.0");
              assertThat(h.did(REST, "0000:00:06.0")).isEqualTo(-1);
            }),
        row(
            "B169 MSI-X that is masked as a whole is EBUSY",
            h -> {
              int guest = h.guest();
              h.refuses(EBUSY, () -> h.assign(guest, MASKED));
            }),
        row(
            "B170 a broken device is EBADF, and dom0's to have",
            h -> {
              int guest = h.guest();
              assertThat(h.physdev("pci_device_remove", NIC, "")).isEqualTo(EBUSY);
              h.refuses(EBADF, () -> h.assign(guest, X));
              assertThat(h.assign(IO, X)).isZero();
              assertThat(h.deassign(IO, X)).isZero();
              assertThat(h.owner(X)).isZero();
            }));
  }

  private static Stream<Row<AssignmentHost>> regions() {
    return Stream.of(
        row(
            "B157 a shared reserved region is EPERM unless that is relaxed",
            h -> {
              int guest = h.guest();
              h.refuses(EPERM, () -> h.assign(guest, SHARED_1));
              assertThat(h.assign(guest, SHARED_1, ",'flags':1")).isZero();
            }),
        row(
            "B158 RAM in the reserved region is EBUSY, or stays",
            h -> {
              int guest = h.guest();
              h.xen().limit(guest, 1024);
              assertThat(h.xen().populate(guest, "0x7b461", 0)).isEqualTo(1);
              h.refuses(EBUSY, () -> h.assign(guest, USB));
              assertThat(h.assign(guest, USB, ",'flags':1")).isZero();
              assertThat(h.xen().type(guest, "0x7b461")).isEqualTo("ram_rw");
              assertThat(h.xen().type(guest, "0x7b462")).isEqualTo("mmio_direct");
            }),
        row(
            "B159 a reserved region goes with the last of its users",
            h -> {
              int guest = h.guest();
              assertThat(h.assign(guest, SHARED_1, ",'flags':1")).isZero();
              assertThat(h.assign(guest, SHARED_2, ",'flags':1")).isZero();
              h.deassign(guest, SHARED_1);
              assertThat(h.xen().type(guest, SHARED_GFN)).isEqualTo("mmio_direct");
              h.deassign(guest, SHARED_2);
              assertThat(h.xen().type(guest, SHARED_GFN)).isEqualTo("mmio_dm");
            }),
        row(
            "B161 in quarantine a device reaches its reserved region and nothing else",
            h -> {
              int guest = h.guest();
              h.given(guest, USB);
              h.deassign(guest, USB);
              assertThat(h.outcome(USB, USB_REGION)).isEqualTo("done");
              assertThat(h.outcome(USB, 0)).isEqualTo("0x5");
              assertThat(h.read(USB, 0).at("/fault/reason").asText()).isEqualTo("0x6");
            }),
        row(
            "B162 on the scratch page nothing leaks, neither in space nor in time",
            h -> {
              h.policies("'quarantine':'scratch-page'");
              int guest = h.guest();
              h.given(guest, X);
              h.write(X, 0x5000, "deadbeef");
              h.deassign(guest, X);
              assertThat(h.read(X, 0x5000).get("data").asText()).isEqualTo("00000000");
              assertThat(h.write(X, 0x12_3456_7000L, "c0ffee01").get("outcome").asText())
                  .isEqualTo("done");
              assertThat(h.read(X, 0x5000).get("data").asText()).isEqualTo("c0ffee01");
              int next = h.guest();
              h.given(next, X);
              h.deassign(next, X);
              assertThat(h.read(X, 0x5000).get("data").asText()).isEqualTo("00000000");
              assertThat(h.violations()).isEmpty();
              h.deassign(IO, X);
            }));
  }

  private static Stream<Row<AssignmentHost>> bridges() {
    return Stream.of(
        row(
            "B163 a conventional device takes its bridge and the bus's first id along",
            h -> {
              int guest = h.guest();
              h.given(guest, SOUND);
              int did = h.idOf(REST, guest);
              for (String requester : new String[] {SOUND, BRIDGE, BELOW_BRIDGE}) {
                assertThat(h.did(REST, requester)).as(requester).isEqualTo(did);
              }
              assertThat(h.ids(REST)).hasSize(2);
              h.deassign(guest, SOUND);
              for (String requester : new String[] {SOUND, BRIDGE, BELOW_BRIDGE}) {
                assertThat(h.did(REST, requester)).as(requester).isEqualTo(-1);
              }
              assertThat(h.idOf(REST, guest)).isEqualTo(-1);
            }),
        row(
            "B164 a sibling for another guest is EBUSY, and the bridge goes with the last",
            h -> {
              int guest = h.guest();
              int other = h.guest();
              h.given(guest, SOUND);
              h.refuses(EBUSY, () -> h.assign(other, MODEM));
              h.given(guest, MODEM);
              h.deassign(guest, SOUND);
              assertThat(h.did(REST, BRIDGE)).isEqualTo(h.idOf(REST, guest));
              h.deassign(guest, MODEM);
              assertThat(h.did(REST, BRIDGE)).isEqualTo(-1);
            }),
        row(
            "B165 a group is its other members, of one owner",
            h -> {
              int guest = h.guest();
              h.given(guest, SOUND);
              assertThat(group(h, guest, SOUND).get("num_sdevs").asInt()).isZero();
              h.given(guest, MODEM);
              JsonNode group = group(h, guest, SOUND);
              assertThat(group.get("num_sdevs").asInt()).isEqualTo(1);
              assertThat(group.at("/sdev_array/0").asText()).isEqualTo(MODEM);
            }),
        row(
            "B166 a reserved region behind a bridge stays where it is",
            h -> {
              int guest = h.guest();
              int did = h.did(FIRMWARE_DISK);
              h.refuses(EOPNOTSUPP, () -> h.assign(guest, FIRMWARE_DISK));
              assertThat(h.did(FIRMWARE_DISK)).isEqualTo(did);
              assertThat(h.outcome(FIRMWARE_DISK, 0x7b48_0000L)).isEqualTo("done");
            }));
  }

  private static JsonNode group(AssignmentHost h, int domain, String sbdf) {
    return h.xen()
        .done(
            "domctl",
            "get_device_group",
            "{'domain':%d,'machine_sbdf':'%s'}".formatted(domain, sbdf));
  }

  private static Stream<Row<AssignmentHost>> failures() {
    return Stream.of(
        row(
            "B168 phantom functions switch together or not at all, and a rollback that fails breaks"
                + " both",
            h -> {
              int guest = h.guest();
              h.given(guest, PHANTOM);
              assertThat(h.did(REST, PHANTOM)).isEqualTo(h.did(REST, PHANTOM_4)).isPositive();
              h.deassign(guest, PHANTOM);
              h.deassign(IO, PHANTOM);
              h.timeOut(PHANTOM_4, "context", 0, 1);
              assertThat(h.assign(guest, PHANTOM)).isEqualTo(EIO);
              assertThat(h.did(REST, PHANTOM)).isEqualTo(h.idOf(REST, 0));
              assertThat(h.did(REST, PHANTOM_4)).isEqualTo(h.idOf(REST, 0));
              assertThat(h.idOf(REST, guest)).isEqualTo(-1);
              assertThat(h.state(PHANTOM)).isEqualTo("dom0");
              assertThat(h.outcome(PHANTOM, 0x10_0000)).isEqualTo("done");
              h.healed();

              int second = h.guest();
              h.timeOut(PHANTOM_4, "context", 0, 1);
              h.timeOut(PHANTOM, "context", 1, 1);
              assertThat(h.assign(second, PHANTOM)).isEqualTo(EIO);
              assertThat(h.state(PHANTOM)).isEqualTo("broken");
              assertThat(h.daemon().get("/v1/domains/" + second).at("/state"))
                  .isEqualTo("shutdown");
              assertThat(h.idOf(REST, second)).isPositive();
              h.daemon().delete("/v1/domains/" + second);
              assertThat(h.idOf(REST, second)).isEqualTo(-1);
              assertThat(h.owner(PHANTOM)).isEqualTo(IO);
              int other = h.guest();
              h.refuses(EBADF, () -> h.assign(other, PHANTOM));
            }),
        row(
            "B180 requests while a device changes hands meet one owner's page or the other's",
            h -> {
              int guest = h.guest();
              String before = h.maddr(X, ADDRESS);
              Set<String> met = ConcurrentHashMap.newKeySet();
              try (ExecutorService devices = Executors.newFixedThreadPool(3)) {
                for (int each = 0; each < 90; each++) {
                  devices.execute(() -> met.add(h.maddr(X, ADDRESS)));
                }
                h.given(guest, X);
              }
              String after = h.maddr(X, ADDRESS);
              assertThat(after).isNotEqualTo(before);
              assertThat(met).isNotEmpty().isSubsetOf(before, after);
            }),
        row(
            "B181 a flush that fails leaves the old owner and frees the new one's id",
            h -> {
              int guest = h.guest();
              int did = h.did(X);
              h.timeOut(X, "context", 0, 1);
              assertThat(h.assign(guest, X)).isEqualTo(EIO);
              assertThat(h.owner(X)).isZero();
              assertThat(h.did(X)).isEqualTo(did);
              assertThat(h.idOf(0, guest)).isEqualTo(-1);
              assertThat(h.lastFlushedId(0)).as("the id that was the guest's").isEqualTo(1);
              assertThat(h.outcome(X, 0x10_0000)).isEqualTo("done");
            }),
        row(
            "B182 a hidden device keeps dom0's id on its unit",
            h -> {
              assertThat(h.state(HIDDEN)).isEqualTo("hidden");
              int guest = h.guest();
              h.given(guest, BESIDE_HIDDEN);
              assertThat(h.ids(4)).containsExactly("0=0", "1=" + guest);
              assertThat(h.outcome(HIDDEN, 0x10_0000)).isEqualTo("done");
              h.refuses(EBUSY, () -> h.assign(guest, HIDDEN));
            }));
  }

  private static Stream<Row<AssignmentHost>> functions() {
    return Stream.of(
        row(
            "B172 a physical function does not go before its virtual ones",
            h -> {
              assertThat(h.physdev("pci_device_remove", NIC_B, "")).isEqualTo(EBUSY);
              assertThat(h.items("/v1/devices?limit=10000&state=broken"))
                  .extracting(device -> device.get("sbdf").asText())
                  .hasSize(1 + FUNCTIONS_OF_B)
                  .allMatch(sbdf -> sbdf.startsWith("0000:04:"));
              removeAll(h);
              restore(h);
            }),
        row(
            "B173 a virtual function does not come before its physical one",
            h -> {
              removeAll(h);
              String vf = "0000:04:10.0";
              String of = ",'flags':2,'physfn':{'bus':4,'devfn':0}";
              h.refuses(ENODEV, () -> h.physdev("pci_device_add", vf, of));
              assertThat(h.daemon().get("/v1/devices/" + vf).status()).isEqualTo(404);
              assertThat(h.physdev("pci_device_add", NIC_B, "")).isZero();
              assertThat(h.physdev("pci_device_add", vf, of)).isZero();
              assertThat(h.outcome(vf, 0x10_0000)).isEqualTo("done");
              restore(h);
            }));
  }

  /** Forgets the second card, functions first. */
  private static void removeAll(AssignmentHost h) {
    for (JsonNode device : h.items("/v1/devices?limit=1000&iommu=1")) {
      if (!device.get("physicalFunction").isNull()) {
        assertThat(h.physdev("pci_device_remove", device.get("sbdf").asText(), "")).isZero();
      }
    }
    assertThat(h.physdev("pci_device_remove", NIC_B, "")).isZero();
    assertThat(h.did(1, NIC_B)).isEqualTo(-1);
  }

  private static void restore(AssignmentHost h) {
    h.physdev("pci_device_add", NIC_B, "");
    for (int n = 0x80; n < 0x80 + FUNCTIONS_OF_B; n++) {
      h.physdev("pci_device_add", "0000:04:%02x.%d".formatted(n >> 3, n & 7), "");
    }
  }
}
