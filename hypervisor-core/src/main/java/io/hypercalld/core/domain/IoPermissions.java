package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.ranges.NumberRange;
import io.hypercalld.core.ranges.RangeSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Which of the machine's device memory, ports and interrupts a domain may have. Confined to the
 * machine thread.
 *
 * @see "xen/include/xen/iocap.h; xen/arch/x86/dom0_build.c, dom0_setup_permissions"
 */
public final class IoPermissions implements Digestible {
  /** What is permitted. */
  public enum Kind {
    /** Machine frames of device registers. */
    MEMORY("machine frames"),
    PORTS("ports"),
    INTERRUPTS("interrupts");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  private static final NumberRange IO_APIC = NumberRange.of(0xfec00, 1);

  /** Local APIC and the addresses of message signalled interrupts. */
  private static final NumberRange LOCAL_APIC = NumberRange.of(0xfee00, 0x100);

  /** Interrupt controllers, timer, PIT channel 2, as in Xen. */
  private static final List<NumberRange> PORTS_KEPT =
      List.of(
          NumberRange.of(0x20, 2),
          NumberRange.of(0xa0, 2),
          NumberRange.of(0x40, 4),
          NumberRange.of(0x61, 1));

  private final Map<Kind, RangeSet> permitted = new EnumMap<>(Kind.class);
  private final DomainId owner;

  IoPermissions(DomainId owner) {
    this.owner = owner;
    for (Kind kind : Kind.values()) {
      permitted.put(kind, new RangeSet());
    }
  }

  /**
   * Permits everything that the hypervisor does not keep for itself: all but the interrupt
   * controllers.
   *
   * @param addressWidth bits of a machine address
   */
  public void grantHardware(int addressWidth) {
    grant(Kind.MEMORY, NumberRange.of(0, 1L << (addressWidth - PageSize.SHIFT_4K)));
    revoke(Kind.MEMORY, IO_APIC);
    revoke(Kind.MEMORY, LOCAL_APIC);
    grant(Kind.PORTS, NumberRange.of(0, Host.PORTS));
    PORTS_KEPT.forEach(range -> revoke(Kind.PORTS, range));
    grant(Kind.INTERRUPTS, NumberRange.of(0, Host.INTERRUPTS));
  }

  public void grant(Kind kind, NumberRange range) {
    of(kind).add(range);
  }

  public void revoke(Kind kind, NumberRange range) {
    of(kind).remove(range);
  }

  /** Whether all of the range is permitted. */
  public boolean permits(Kind kind, NumberRange range) {
    return of(kind).contains(range);
  }

  /**
   * Refuses where any of the range is not permitted.
   *
   * @throws Refusal EPERM
   */
  public void demand(Kind kind, NumberRange range) {
    if (!permits(kind, range)) {
      throw Refusal.of(Errno.EPERM, "%s may not have %s %s", owner, kind.words, range);
    }
  }

  /** Whether any device memory or port is permitted. */
  public boolean any() {
    return !of(Kind.MEMORY).isEmpty() || !of(Kind.PORTS).isEmpty();
  }

  private RangeSet of(Kind kind) {
    RangeSet ranges = permitted.get(kind);
    if (ranges == null) {
      throw new IllegalStateException("every kind has its ranges");
    }
    return ranges;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("io-permissions");
    permitted.values().forEach(digest::put);
  }
}
