package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.OptionalInt;

/**
 * HVM domains that want their interrupts as event channels, and ask for that themselves. Confined
 * to the machine thread.
 *
 * @see "xen/arch/x86/physdev.c, physdev_hvm_map_pirq; irq.c, map_domain_emuirq_pirq"
 */
public final class OwnPirqs {
  private static final int GSIS = 48;
  private static final long USES_PIRQS = 0x200;
  private static final int CALLBACK = 0;
  private static final int CALLBACK_TYPE_SHIFT = 56;
  private static final int CALLBACK_VECTOR = 2;

  OwnPirqs() {}

  /** Whether a domain may have its interrupts as event channels: {@code has_pirq}. */
  public boolean isServed(Domain domain) {
    return domain.type().isTranslated()
        && (domain.settings().platform().emulationFlags() & USES_PIRQS) != 0;
  }

  /**
   * Gives a domain a number for one of its own pins; that of the machine's interrupt where that
   * asserts the pin.
   *
   * @param wanted the number; negative for any
   * @return the number
   * @throws Refusal EINVAL the domain takes no events by vector, has no such pin or can have no
   *     such number; ENOSPC no number is free
   */
  public int map(Domain domain, long gsi, int wanted) {
    long callback = domain.features().events().params().get(CALLBACK);
    if (callback >>> CALLBACK_TYPE_SHIFT != CALLBACK_VECTOR) {
      throw Refusal.of(Errno.EINVAL, "%s takes no events by vector", domain.id());
    }
    if (gsi < 0 || gsi >= GSIS) {
      throw Refusal.of(Errno.EINVAL, "%d is none of %d pins", gsi, GSIS);
    }
    DomainPirqs pirqs = PirqMapping.pirqsOf(domain);
    OptionalInt passedThrough = pirqs.boundTo((int) gsi);
    if (passedThrough.isPresent()) {
      return passedThrough.getAsInt();
    }
    int number = wanted < 0 ? pirqs.freeForGsi() : wanted;
    if (number >= pirqs.count()) {
      throw Refusal.of(Errno.EINVAL, "%s has %d interrupts", domain.id(), pirqs.count());
    }
    // Xen warns of a number or pin that stands for something else, and reports success.
    pirqs.emulate(number, (int) gsi);
    return number;
  }

  /** Takes a number of an own pin back; whether it was one. */
  public boolean unmap(Domain domain, long number) {
    return PirqMapping.pirqsOf(domain).emulateNoMore(number);
  }
}
