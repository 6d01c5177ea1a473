package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The address spaces that devices can be pointed at instead of their domain's own. Confined to the
 * machine thread.
 *
 * <p>Their pseudo domain ids are taken from the upper end of the range, quarantine's from the
 * lower.
 */
public final class IoContexts implements Digestible {
  private static final int HIGHEST_TAG = 0xfffe;
  private static final int LOWEST_TAG = 0x8000;

  private final VtdDriver driver;
  private final TreeMap<DomainId, IoContext> contexts = new TreeMap<>();
  private final TreeMap<DomainId, NestedContext> nested = new TreeMap<>();

  IoContexts(VtdDriver driver) {
    this.driver = driver;
  }

  /**
   * An empty address space for devices of a domain.
   *
   * @throws Refusal ENOSPC no pseudo domain id, ENOMEM no frame is free
   */
  public IoContext create(DomainId owner) {
    IoContext context = new IoContext(driver, owner, freeTag());
    contexts.put(context.tag(), context);
    return context;
  }

  private DomainId freeTag() {
    for (int value = HIGHEST_TAG; value >= LOWEST_TAG; value--) {
      DomainId tag = new DomainId(value);
      if (!uses(tag) && driver.units().stream().allMatch(unit -> unit.domainIdOf(tag).isEmpty())) {
        return tag;
      }
    }
    throw Refusal.of(Errno.ENOSPC, "no pseudo domain id is left");
  }

  /**
   * First-level tables of a domain's on top of an address space of its, or of its own table.
   *
   * @throws Refusal ENOSPC no pseudo domain id
   */
  public NestedContext createNested(DomainId owner, Optional<IoContext> below) {
    NestedContext context = new NestedContext(driver, owner, freeTag(), below);
    nested.put(context.tag(), context);
    return context;
  }

  /** Whether an address space has the pseudo domain id. */
  boolean uses(DomainId tag) {
    return contexts.containsKey(tag) || nested.containsKey(tag);
  }

  /** The tag itself and those of everything that goes through its second-level table. */
  Set<DomainId> tagsThrough(DomainId tag) {
    if (nested.isEmpty()) {
      return Set.of(tag);
    }
    Set<DomainId> tags = new TreeSet<>(Set.of(tag));
    for (NestedContext context : nested.values()) {
      if (context.secondLevel().equals(tag)) {
        tags.add(context.tag());
      }
    }
    return tags;
  }

  /** Whose the second-level table is that a tag's requests go through. */
  public DomainId secondLevelOf(DomainId tag) {
    return Optional.ofNullable(nested.get(tag)).map(NestedContext::secondLevel).orElse(tag);
  }

  /** Every address space, by its pseudo domain id. */
  public Collection<IoContext> all() {
    return Collections.unmodifiableCollection(contexts.values());
  }

  /**
   * Points a device at an address space of its owner's, or at its owner's own table again, by one
   * swap of its context entry.
   *
   * @throws Refusal EBUSY no domain-id is free; ENOMEM; EIO the unit does not obey. The device goes
   *     where it went before
   */
  public void point(PciDevice device, Optional<IoContext> to) {
    repoint(device, to, Optional.empty());
  }

  /**
   * The same for what a guest's PASID tables say.
   *
   * @throws Refusal as the other; EOPNOTSUPP the device's unit knows no PASIDs, or cannot nest
   */
  public void point(PciDevice device, PasidView to) {
    repoint(device, Optional.empty(), Optional.of(to));
  }

  private void repoint(PciDevice device, Optional<IoContext> to, Optional<PasidView> view) {
    Optional<IoContext> contextBefore = device.ioContext;
    Optional<PasidView> viewBefore = device.pasids;
    Set<DomainId> before = device.tags();
    Transaction.run(
        steps -> {
          device.ioContext = to;
          device.pasids = view;
          steps.onFailure(
              () -> {
                device.ioContext = contextBefore;
                device.pasids = viewBefore;
              });
          driver.contexts().pointAt(steps, device, device.owner());
          return device;
        });
    release(device, before);
  }

  /** Has a device forget what its guest's command names, as far as it remembers by itself. */
  public void forget(PciDevice device, Invalidation.DeviceTranslations command) {
    driver
        .iommuOf(device.owner())
        .flushing()
        .tell(device, unit -> unit.forget(device.sbdf().sourceId(), command));
  }

  /** The device's context entry points elsewhere already. */
  void leave(PciDevice device) {
    Set<DomainId> before = device.tags();
    device.ioContext = Optional.empty();
    device.pasids = Optional.empty();
    release(device, before);
  }

  /** Frees domain-ids of address spaces on the device's unit where no device there needs them. */
  private void release(PciDevice device, Set<DomainId> tags) {
    Set<DomainId> unneeded = new TreeSet<>(tags);
    unneeded.removeIf(tag -> !uses(tag));
    driver.devices().all().stream()
        .filter(other -> other.unit().equals(device.unit()))
        .forEach(other -> unneeded.removeAll(other.tags()));
    unneeded.forEach(tag -> device.unit().ifPresent(unit -> unit.domainIds().release(tag)));
  }

  /** Gives back an address space that no device goes through any more. */
  public void destroy(IoContext context) {
    requireUnused(context.tag());
    context.destroy();
    contexts.remove(context.tag());
  }

  /** The same. */
  public void destroy(NestedContext context) {
    requireUnused(context.tag());
    nested.remove(context.tag());
  }

  private void requireUnused(DomainId tag) {
    boolean used =
        driver.devices().all().stream().anyMatch(device -> device.tags().contains(tag))
            || tagsThrough(tag).size() > 1;
    if (used) {
      throw new IllegalStateException("devices still go through " + tag);
    }
    driver.units().forEach(unit -> unit.domainIds().forget(tag));
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("io-contexts").put(contexts.size());
    contexts.values().forEach(digest::put);
    digest.put(nested.size());
    nested.values().forEach(digest::put);
  }
}
