package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.ioreq.page.BufferedRing;
import io.hypercalld.ioreq.page.RequestSlot;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The pages of one server: the ring, where it has one, and the vCPUs' slots. Confined to the
 * machine thread.
 */
public final class SharedPages implements Digestible {
  private static final int SLOTS_PER_PAGE = PageSize.BYTES_4K / RequestSlot.BYTES;

  private final MachineMemory memory;
  private final Optional<SharedPage> ring;
  private final List<SharedPage> slots;

  SharedPages(Domain domain, MachineMemory memory, BufferedMode mode) {
    this.memory = memory;
    this.ring =
        mode == BufferedMode.OFF ? Optional.empty() : Optional.of(new SharedPage(domain, memory));
    this.slots =
        IntStream.range(0, Math.ceilDiv(domain.settings().maxVcpus(), SLOTS_PER_PAGE))
            .mapToObj(_ -> new SharedPage(domain, memory))
            .toList();
  }

  /** The slot of a vCPU; empty where its page is not there yet. */
  public Optional<RequestSlot> slot(int vcpu) {
    long offset = (long) (vcpu % SLOTS_PER_PAGE) * RequestSlot.BYTES;
    return slots
        .get(vcpu / SLOTS_PER_PAGE)
        .frame()
        .map(frame -> new RequestSlot(memory, frame.maddr() + offset));
  }

  /** The ring; empty where there is none or its page is not there yet. */
  public Optional<BufferedRing> ring() {
    return ring.flatMap(SharedPage::frame).map(frame -> new BufferedRing(memory, frame.maddr()));
  }

  /**
   * The page of a number, made unless it is there.
   *
   * @param number 0 the ring, then the slots
   * @throws Refusal ENOENT no ring; EINVAL no such page; EPERM borrowed from the guest; ENOMEM
   */
  Mfn make(long number) {
    return page(number).make();
  }

  /**
   * Refuses what {@link #make} would, save for want of memory.
   *
   * @throws Refusal as there
   */
  void requireMakeable(long number) {
    page(number).requireNotLent();
  }

  /** How many pages there can be, the ring's included where there is none. */
  public int count() {
    return 1 + slots.size();
  }

  private SharedPage page(long number) {
    if (number == 0) {
      return ring.orElseThrow(() -> Refusal.of(Errno.ENOENT, "the server has no buffered ring"));
    }
    if (number < 0 || number > slots.size()) {
      throw Refusal.of(Errno.EINVAL, "the server has no page %d", number);
    }
    return slots.get((int) number - 1);
  }

  /** The pages of slots that no guest frame stands for: all of them, or none. */
  List<SharedPage> slotsToBorrow() {
    return slots.stream().filter(page -> page.gfn().isEmpty()).toList();
  }

  /** The ring, where there is one for which no guest frame stands. */
  Optional<SharedPage> ringToBorrow() {
    return ring.filter(page -> page.gfn().isEmpty());
  }

  /** The guest frame of the first page of slots, which the others follow. */
  public Optional<Gfn> slotsGfn() {
    return slots.getFirst().gfn();
  }

  /** The guest frame of the ring. */
  public Optional<Gfn> ringGfn() {
    return ring.flatMap(SharedPage::gfn);
  }

  Stream<SharedPage> all() {
    return Stream.concat(ring.stream(), slots.stream());
  }

  @Override
  public void digest(StateDigest digest) {
    all().forEach(digest::put);
  }
}
