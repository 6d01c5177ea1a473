package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.FrameRun;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * An address space of a domain's devices beside that of the domain itself: a table of its own, and
 * a pseudo domain id whose domain-id tags what units remember of it. Confined to the machine
 * thread.
 *
 * <p>Changes gather until {@link #flush} makes them take effect and frees the tables that went with
 * them. Its frame numbers are addresses as devices give them, shifted right by 12.
 *
 * @see "spec/documents.md S1-M7, S1-D22"
 */
public final class IoContext implements Digestible {
  private final VtdDriver driver;
  private final DomainId owner;
  private final DomainId tag;
  private final DmaTable table;
  private FlushSet pending = new FlushSet();

  IoContext(VtdDriver driver, DomainId owner, DomainId tag) {
    this.driver = driver;
    this.owner = owner;
    this.tag = tag;
    this.table = driver.newTable(tag, DmaPolicy.usual(), DmaTable.MOST_LEVELS);
  }

  /** Whose devices may go through it. */
  public DomainId owner() {
    return owner;
  }

  /** The pseudo domain id that stands for it. */
  public DomainId tag() {
    return tag;
  }

  /** Machine address of the top table, which has four levels. */
  public long root() {
    return table.rootFor(table.levels());
  }

  /** What its table has cost so far. */
  public TableCounters counters() {
    return table.counters();
  }

  /**
   * Maps a run of frames below 2^36, replacing what was there, with the largest leaves that
   * alignment allows.
   *
   * @throws Refusal ENOMEM; nothing changed
   */
  public void map(FrameRun dfns, Mfn mfn, DmaPermission permission) {
    table.map(pending, dfns, mfn, permission);
  }

  /**
   * Has frames below 2^36 that share a block of 512 lead where words say, in leaves of 4 KiB.
   *
   * @param words by place in the block, as {@link io.hypercalld.core.memory.PageWord} has them
   * @throws Refusal ENOMEM; nothing changed
   */
  public void replace(FrameRun dfns, long[] words) {
    table.replace(pending, dfns, words);
  }

  /**
   * Unmaps a run of frames; holes in it stay holes.
   *
   * @throws Refusal ENOMEM no frame is free to split a leaf; nothing changed
   */
  public void unmap(FrameRun dfns) {
    table.unmap(pending, dfns);
  }

  /** What is mapped first within some frames; a large leaf at their end may lie partly beyond. */
  public Optional<DmaRun> nextRun(FrameRun within) {
    return table.nextRun(within);
  }

  /** What is mapped at or first after a frame. */
  public Optional<DmaRun> nextRun(Gfn from) {
    return table.nextRun(from.value());
  }

  /**
   * Has all changes so far take effect in every unit, and in devices that remember by themselves;
   * the domain is crashed where a unit or a device does not obey.
   */
  public void flush() {
    FlushSet changes = pending;
    pending = new FlushSet();
    driver.iommuOf(owner).flushing().flush(tag, changes);
  }

  AddressSpace addressSpace() {
    return new AddressSpace(tag, table.levels(), table::rootFor);
  }

  void destroy() {
    table.destroy();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(owner.value()).put(tag.value()).put(table);
  }
}
