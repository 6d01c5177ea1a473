package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.TreeMap;

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

  /** Whether an address space has the pseudo domain id. */
  boolean uses(DomainId tag) {
    return contexts.containsKey(tag);
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
    Optional<IoContext> before = device.ioContext;
    Transaction.run(
        steps -> {
          device.ioContext = to;
          steps.onFailure(() -> device.ioContext = before);
          driver.contexts().pointAt(steps, device, device.owner());
          return device;
        });
    before.ifPresent(context -> releaseDomainId(device, context));
  }

  /** The device's context entry points elsewhere already. */
  void leave(PciDevice device) {
    Optional<IoContext> before = device.ioContext;
    device.ioContext = Optional.empty();
    before.ifPresent(context -> releaseDomainId(device, context));
  }

  /** Frees the domain-id on the device's unit where no other device there needs it. */
  private void releaseDomainId(PciDevice device, IoContext context) {
    boolean inUse =
        driver.devices().all().stream()
            .anyMatch(other -> isIn(other, context) && other.unit().equals(device.unit()));
    if (!inUse) {
      device.unit().ifPresent(unit -> unit.domainIds().release(context.tag()));
    }
  }

  private static boolean isIn(PciDevice device, IoContext context) {
    return device.ioContext.filter(context::equals).isPresent();
  }

  /** Gives back an address space that no device goes through any more. */
  public void destroy(IoContext context) {
    if (driver.devices().all().stream().anyMatch(device -> isIn(device, context))) {
      throw new IllegalStateException("devices still go through " + context.tag());
    }
    driver.units().forEach(unit -> unit.domainIds().forget(context.tag()));
    context.destroy();
    contexts.remove(context.tag());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("io-contexts").put(contexts.size());
    contexts.values().forEach(digest::put);
  }
}
