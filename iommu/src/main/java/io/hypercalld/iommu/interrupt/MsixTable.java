package io.hypercalld.iommu.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.BitSet;

/**
 * The MSI-X table of a function as a domain sees it: what it wrote there of the first entries, and
 * of which entries it changed the message since it was last unmasked. Confined to the machine
 * thread.
 *
 * <pre>
 *      127       96 95       64 63                    0
 *     +------------+-----------+----------------------+
 *     | control: M |    data   |        address       |
 *     +------------+-----------+----------------------+
 * </pre>
 *
 * @see "PCI Local Bus 3.0 §6.8.2; xen/arch/x86/hvm/vmsi.c, struct msixtbl_entry"
 */
final class MsixTable implements Digestible {
  static final int ENTRY_BYTES = 16;
  static final int CONTROL_OFFSET = 12;

  /** The entries of which the hypervisor keeps the message: {@code MAX_MSIX_ACC_ENTRIES}. */
  private static final int KEPT_ENTRIES = 3;

  private static final int KEPT_WORDS = CONTROL_OFFSET / Integer.BYTES;
  private static final int MOST_ENTRIES = 2048;

  private final Sbdf function;
  private final long base;
  private final int[] words = new int[KEPT_ENTRIES * KEPT_WORDS];
  private final BitSet written = new BitSet();
  private final BitSet changed = new BitSet();
  private int users;

  MsixTable(Sbdf function, long base) {
    this.function = function;
    this.base = base;
  }

  Sbdf function() {
    return function;
  }

  boolean covers(long gpa) {
    return Long.compareUnsigned(gpa - base, (long) MOST_ENTRIES * ENTRY_BYTES) < 0;
  }

  int entryAt(long gpa) {
    return (int) ((gpa - base) / ENTRY_BYTES);
  }

  int offsetAt(long gpa) {
    return (int) ((gpa - base) % ENTRY_BYTES);
  }

  void use() {
    users++;
  }

  /** Whether somebody uses it still. */
  boolean leave() {
    users--;
    return users > 0;
  }

  /** Whether a word of an entry's message is known. */
  boolean isKnown(int entry, int word) {
    return entry < KEPT_ENTRIES && written.get(entry * KEPT_WORDS + word);
  }

  long word(int entry, int word) {
    return Integer.toUnsignedLong(words[entry * KEPT_WORDS + word]);
  }

  /** A word of an entry's message is written, of which the device model will hear. */
  void write(int entry, int word, long value) {
    changed.set(entry);
    if (entry < KEPT_ENTRIES) {
      words[entry * KEPT_WORDS + word] = (int) value;
      written.set(entry * KEPT_WORDS + word);
    }
  }

  /** Whether the entry's message was written since this was last asked. */
  boolean takeChange(int entry) {
    boolean was = changed.get(entry);
    changed.clear(entry);
    return was;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(function.toString()).put(base).put(users).put(written.toString());
    digest.put(changed.toString());
    for (int word : words) {
      digest.put(word);
    }
  }
}
