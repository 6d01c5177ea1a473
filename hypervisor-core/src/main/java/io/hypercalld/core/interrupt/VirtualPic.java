package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * The two cascaded 8259s of a domain, as far as lines reach them: sixteen requests, and whether
 * they ask the processor. Confined to the machine thread.
 *
 * @see "xen/arch/x86/hvm/vpic.c"
 */
public final class VirtualPic implements Digestible {
  /** ISA interrupts. */
  public static final int LINES = 16;

  private static final int ALL = (1 << LINES) - 1;
  private static final int CASCADE = 2;

  private int requested;
  private int masked = ALL;
  private int levelTriggered;
  private int lines;

  /** Lines that asked since they were last served: IRR, one bit each. */
  public int requested() {
    return requested;
  }

  /** Lines that software masked: IMR. */
  public int masked() {
    return masked;
  }

  /** Has only the lines whose bit is 0 ask: both OCW1 at once. */
  public void setMasked(int mask) {
    masked = mask & ALL;
  }

  /** Lines that are level triggered: ELCR. */
  public int levelTriggered() {
    return levelTriggered;
  }

  public void setLevelTriggered(int mask) {
    levelTriggered = mask & ALL;
  }

  /** Whether it asks the processor: an ExtINT. */
  public boolean isAsking() {
    boolean slave = (masked & 1 << CASCADE) == 0;
    int open = requested & ~masked;
    return (open & 0xff) != 0 || (slave && open >>> 8 != 0);
  }

  void raise(int irq) {
    lines |= 1 << irq;
    requested |= 1 << irq;
  }

  /** An edge that was not served yet is forgotten with its line, as with a level. */
  void lower(int irq) {
    lines &= ~(1 << irq);
    requested &= ~(1 << irq);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("pic").put(requested).put(masked).put(levelTriggered).put(lines);
  }
}
