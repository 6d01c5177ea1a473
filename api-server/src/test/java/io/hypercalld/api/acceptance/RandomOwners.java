package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.AssignmentHost.EBUSY;
import static io.hypercalld.api.acceptance.AssignmentHost.IO;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Devices of the awkward platform that go from owner to owner at random, over HTTP. */
final class RandomOwners {
  private static final int MOST_GUESTS = 20;
  private static final int UNITS = 6;
  private static final int AUDIT_EVERY = 500;

  private final AssignmentHost host;
  private final Random random = new Random(15);
  private final List<Integer> guests = new ArrayList<>();
  private final List<String> devices;
  private final Map<String, Integer> owners = new HashMap<>();

  RandomOwners(AssignmentHost host) {
    this.host = host;
    this.devices =
        Stream.concat(
                IntStream.range(0, 24)
                    .boxed()
                    .flatMap(
                        n -> Stream.of(DomainIdAcceptanceTest.a(n), DomainIdAcceptanceTest.b(n))),
                Stream.of(
                    DomainIdAcceptanceTest.DISK,
                    DomainIdAcceptanceTest.DISK_CM,
                    "0000:08:01.0",
                    "0000:08:02.0"))
            .toList();
    devices.forEach(device -> owners.put(device, 0));
  }

  /** Assigns, takes back and destroys, and looks at every unit now and then. */
  void walk(int steps) {
    for (int step = 1; step <= steps; step++) {
      step();
      if (step % AUDIT_EVERY == 0) {
        audit();
      }
    }
  }

  /** Destroys every guest and gives every device back to dom0. */
  void leave() {
    while (!guests.isEmpty()) {
      destroy();
    }
    devices.stream().filter(device -> owner(device) != 0).forEach(this::takeBack);
    audit();
  }

  private int owner(String device) {
    return requireNonNull(owners.get(device));
  }

  private void step() {
    int dice = random.nextInt(100);
    if (guests.isEmpty() || (dice < 4 && guests.size() < MOST_GUESTS)) {
      guests.add(host.guest("16KiB"));
    } else if (dice < 7) {
      destroy();
    } else if (dice < 60) {
      assign(guests.get(random.nextInt(guests.size())));
    } else {
      takeBack(devices.get(random.nextInt(devices.size())));
    }
  }

  private void assign(int guest) {
    String device = devices.get(random.nextInt(devices.size()));
    boolean isFree = owner(device) == 0 || owner(device) == IO;
    long result = host.assign(guest, device);
    if (result == 0) {
      assertThat(isFree).as("%s was another's", device).isTrue();
      owners.put(device, guest);
    } else {
      assertThat(result).as("%s to %d", device, guest).isEqualTo(EBUSY);
    }
  }

  private void takeBack(String device) {
    int owner = owner(device);
    if (owner != 0) {
      assertThat(host.deassign(owner, device)).as("%s from %d", device, owner).isZero();
      owners.put(device, owner == IO ? 0 : IO);
    }
  }

  private void destroy() {
    int guest = guests.remove(random.nextInt(guests.size()));
    host.daemon().delete("/v1/domains/" + guest);
    owners.replaceAll((_, owner) -> owner == guest ? IO : owner);
  }

  private void audit() {
    assertThat(host.violations()).isEmpty();
    devices.forEach(this::hasItsOwnersId);
    for (int unit = 0; unit < UNITS; unit++) {
      idsAreThoseOfEntries(unit);
    }
  }

  /** The entry uses what the unit's map has for the owner; in quarantine there is no entry. */
  private void hasItsOwnersId(String device) {
    JsonNode there = host.device(device);
    int owner = owner(device);
    assertThat(there.get("owner").asInt()).as(device).isEqualTo(owner);
    int unit = there.get("iommu").asInt();
    assertThat(host.did(device)).as(device).isEqualTo(owner == IO ? -1 : host.idOf(unit, owner));
  }

  /**
   * An id is in use, and stands for a domain, exactly where a context entry uses it; and dom0's,
   * whose root ports have no entry.
   */
  private void idsAreThoseOfEntries(int unit) {
    Set<String> used = new TreeSet<>(Set.of(host.idOf(unit, 0) + "=0"));
    for (JsonNode entry : host.items("/v1/iommus/" + unit + "/context-entries?limit=10000")) {
      used.add(entry.get("domainId").asText() + "=" + entry.get("domid").asText());
    }
    assertThat(host.ids(unit))
        .as("ids of iommu %d", unit)
        .containsExactlyInAnyOrderElementsOf(used);
    assertThat(host.daemon().get("/v1/iommus/" + unit).at("/domainIds/used"))
        .isEqualTo(Integer.toString(used.size()));
  }
}
