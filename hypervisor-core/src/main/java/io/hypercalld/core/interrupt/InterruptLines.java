package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * The wires of a domain's chipset: INTx of 32 devices, ISA lines, and the four links that route the
 * former to the latter. Confined to the machine thread.
 *
 * <p>Several wires share a pin, which is asserted as long as any of them is.
 *
 * @see "xen/arch/x86/hvm/irq.c"
 */
public final class InterruptLines implements Digestible {
  public static final int LINKS = 4;

  private static final int ISA_TIMER = 0;
  private static final int GSI_TIMER = 2;

  private final VirtualIoApic ioApic;
  private final VirtualPic pic;
  private final boolean[] intx = new boolean[PciLine.DEVICES * PciLine.LINES];
  private final boolean[] isa = new boolean[VirtualPic.LINES];
  private final int[] gsiCount = new int[VirtualIoApic.PINS];
  private final int[] linkCount = new int[LINKS];
  private final int[] route = new int[LINKS];

  InterruptLines(VirtualIoApic ioApic, VirtualPic pic) {
    this.ioApic = ioApic;
    this.pic = pic;
  }

  /** The pin of an ISA line. */
  public static int gsiOfIsa(int irq) {
    return irq == ISA_TIMER ? GSI_TIMER : irq;
  }

  /** Sets a line of a device; no effect where it is so already. */
  public void setIntx(PciLine line, boolean level) {
    if (intx[line.wire()] == level) {
      return;
    }
    intx[line.wire()] = level;
    count(line.gsi(), level);
    int link = line.link();
    linkCount[link] += level ? 1 : -1;
    boolean changed = linkCount[link] == (level ? 1 : 0);
    if (changed && route[link] != 0) {
      countIsa(route[link], level);
    }
  }

  /** Sets an ISA line; no effect where it is so already. */
  public void setIsa(int irq, boolean level) {
    if (isa[irq] != level) {
      isa[irq] = level;
      countIsa(irq, level);
    }
  }

  /** Routes a link to another ISA line; what is asserted moves along. */
  public void setLinkRoute(LinkRoute to) {
    int before = route[to.link()];
    int irq = to.irq();
    if (before == irq) {
      return;
    }
    boolean asserted = linkCount[to.link()] > 0;
    route[to.link()] = irq;
    if (asserted && before != 0) {
      countIsa(before, false);
    }
    if (asserted && irq != 0) {
      countIsa(irq, true);
    }
  }

  private void countIsa(int irq, boolean level) {
    int gsi = gsiOfIsa(irq);
    boolean changed = count(gsi, level);
    if (changed && level) {
      pic.raise(irq);
    } else if (changed) {
      pic.lower(irq);
    }
  }

  /** Whether the pin changed: only the first wire raises it and only the last lowers it. */
  private boolean count(int gsi, boolean level) {
    gsiCount[gsi] += level ? 1 : -1;
    boolean changed = gsiCount[gsi] == (level ? 1 : 0);
    if (changed && level) {
      ioApic.raise(gsi);
    } else if (changed) {
      ioApic.lower(gsi);
    }
    return changed;
  }

  /**
   * A machine interrupt asserts a pin for a while of its own, beside the wires.
   *
   * @param level true to assert, false to give back what was asserted
   */
  public void setGsi(int gsi, boolean level) {
    count(gsi, level);
  }

  /** The ISA line of a link, 0 for none. */
  public int route(int link) {
    return route[link];
  }

  /** Wires that assert a pin. */
  public int asserting(int gsi) {
    return gsiCount[gsi];
  }

  /** Wires that assert a link. */
  public int assertingLink(int link) {
    return linkCount[link];
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("interrupt-lines");
    for (boolean line : intx) {
      digest.put(line);
    }
    for (boolean line : isa) {
      digest.put(line);
    }
    for (int count : gsiCount) {
      digest.put(count);
    }
    for (int link = 0; link < LINKS; link++) {
      digest.put(linkCount[link]).put(route[link]);
    }
  }
}
