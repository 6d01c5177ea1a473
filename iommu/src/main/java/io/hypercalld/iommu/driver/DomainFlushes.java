package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.SourceId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Has units forget what changed in a domain's DMA tables, at once or for many changes together, and
 * only then frees the tables that went with them. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/iommu.c, iommu_iotlb_flush; vtd/iommu.c, iommu_flush_iotlb"
 */
public final class DomainFlushes implements Digestible {
  /** So many changes are put off at most: as many as Linux' flush queue holds. */
  public static final int MOST_WAITING = 256;

  /** A change is put off for so many nanoseconds at most: 10 ms, as in Linux' flush queue. */
  public static final long LONGEST_WAIT = 10_000_000;

  private final Domain domain;
  private final VtdDriver driver;
  private final FlushCounters counters = new FlushCounters();
  private FlushPolicy policy;
  private FlushSet waiting = new FlushSet();
  private int changes;
  private long since;

  DomainFlushes(Domain domain, VtdDriver driver, FlushPolicy policy) {
    this.domain = domain;
    this.driver = driver;
    this.policy = policy;
  }

  public FlushPolicy policy() {
    return policy;
  }

  /** Has units told at other times from now on; what waits is done first. */
  public void choose(FlushPolicy wanted) {
    flush();
    policy = wanted;
  }

  /** What units were told on the domain's behalf. */
  public FlushCounters counters() {
    return counters;
  }

  /** Changes that units have not been told of: what they remember of them is stale. */
  public int waiting() {
    return changes;
  }

  /** Something changed in the domain's own table. */
  void note(FlushSet change) {
    if (change.isEmpty()) {
      return;
    }
    counters.countChange();
    if (policy == FlushPolicy.PER_PAGE) {
      pagesOf(change).forEach(page -> flush(domain.id(), page));
      return;
    }
    if (changes == 0) {
      since = driver.now();
    }
    changes++;
    waiting.add(change);
    driver.awaitFlush(domain.id(), this);
    if (policy == FlushPolicy.DEFERRED && changes == MOST_WAITING) {
      flush();
    }
  }

  /** Who has no device has nobody to tell. */
  private List<FlushSet> pagesOf(FlushSet change) {
    long granule = domain.findP2m().map(p2m -> (long) p2m.geometry().granuleFrames()).orElse(1L);
    return driver.devices().ownedBy(domain.id()).isEmpty()
        ? List.of(change)
        : change.pages(granule);
  }

  /** A hypercall, or a step of one, is over. */
  void endOfCall() {
    if (policy != FlushPolicy.DEFERRED || driver.now() - since >= LONGEST_WAIT) {
      flush();
    }
  }

  /** Has units forget everything that waits. */
  public void flush() {
    FlushSet all = waiting;
    waiting = new FlushSet();
    changes = 0;
    driver.flushed(domain.id());
    flush(domain.id(), all);
  }

  /**
   * Tells every unit, then frees what nothing can remember any more. A unit that does not obey
   * keeps the others from nothing, but leaves the domain with mappings that should be gone: the
   * domain is crashed, and the frames stay.
   *
   * @param tag whose second-level table changed; first-level tables on top of it are affected, too
   */
  void flush(DomainId tag, FlushSet set) {
    Set<DomainId> tags = driver.ioContexts().tagsThrough(tag);
    List<Refusal> failures = new ArrayList<>();
    for (UnitDriver unit : driver.units()) {
      for (DomainId each : tags) {
        try {
          counters.count(unit.flush(each, set));
        } catch (Refusal failure) {
          failures.add(failure);
        }
      }
    }
    if (!set.isEmpty() && !set.isOnlyAdded()) {
      driver.devices().ownedBy(domain.id()).stream()
          .filter(device -> !Collections.disjoint(device.tags(), tags))
          .forEach(device -> attempt(failures, () -> flush(device, set)));
    }
    if (failures.isEmpty()) {
      set.freed().forEach(driver::freeFrames);
    }
    crashAfter(failures);
  }

  /** Has every unit carry something out on the domain's behalf. */
  void tell(Consumer<UnitDriver> command) {
    List<Refusal> failures = new ArrayList<>();
    driver.units().forEach(unit -> attempt(failures, () -> command.accept(unit)));
    crashAfter(failures);
  }

  private void crashAfter(List<Refusal> failures) {
    if (!failures.isEmpty()) {
      domain.crash("IOTLB flush failed: " + failures.getFirst().reason());
    }
  }

  private static void attempt(List<Refusal> failures, Runnable step) {
    try {
      step.run();
    } catch (Refusal failure) {
      failures.add(failure);
    }
  }

  private void flush(PciDevice device, FlushSet set) {
    tellObediently(
        device,
        unit -> {
          unit.flushDevice(device.sbdf().sourceId(), set);
          if (device.pasids.isPresent()) {
            unit.flushDevicePasids(device.sbdf().sourceId());
          }
        });
  }

  /** Has a device that may remember by itself carry something out. */
  void tell(PciDevice device, Consumer<UnitDriver> command) {
    List<Refusal> failures = new ArrayList<>();
    attempt(failures, () -> tellObediently(device, command));
    crashAfter(failures);
  }

  /** A device that does not answer is broken: it may reach what is not the domain's any more. */
  private void tellObediently(PciDevice device, Consumer<UnitDriver> command) {
    SourceId requester = device.sbdf().sourceId();
    Optional<UnitDriver> unit =
        device.unit().filter(one -> one.entries().mayUseDeviceTlb(requester));
    try {
      unit.ifPresent(command);
    } catch (Refusal failure) {
      device.broken = true;
      driver.contexts().disableAts(device);
      throw failure;
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(policy.name()).put(changes).put(changes == 0 ? 0 : since).put(waiting);
  }
}
