package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.RingPage;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.core.p2m.Gfn;
import java.util.Optional;

/**
 * One page that a server shares with its emulator: made for it, or a guest frame that is lent.
 * Confined to the machine thread.
 *
 * <p>A guest frame is the guest's while the server is disabled, and out of its sight while the
 * server is enabled, so that it cannot forge answers.
 *
 * @see "xen/common/ioreq.c, ioreq_server_alloc_mfn; xen/arch/x86/hvm/ioreq.c, hvm_map_ioreq_gfn"
 */
final class SharedPage implements Digestible {
  private static final int WORDS = PageSize.BYTES_4K / Long.BYTES;

  private final Domain domain;
  private final MachineMemory memory;
  private Optional<Mfn> made = Optional.empty();
  private Optional<Lent> lent = Optional.empty();

  /** A guest frame and the page that was behind it. */
  private record Lent(Gfn gfn, RingPage page) {}

  SharedPage(Domain domain, MachineMemory memory) {
    this.domain = domain;
    this.memory = memory;
  }

  /** The page; empty where nobody has asked for it yet. */
  Optional<Mfn> frame() {
    return made.or(() -> lent.map(by -> by.page.mfn()));
  }

  /** The guest frame that it is lent from. */
  Optional<Gfn> gfn() {
    return lent.map(Lent::gfn);
  }

  /** The page where it is held by a reference that is not its allocation's. */
  Optional<Mfn> referenced() {
    return lent.map(by -> by.page.mfn());
  }

  /**
   * The page, made unless it is there.
   *
   * @throws Refusal EPERM where it is a guest frame; ENOMEM
   */
  Mfn make() {
    requireNotLent();
    Mfn page = made.orElseGet(() -> domain.memory().specialPages().allocateExtra());
    made = Optional.of(page);
    return page;
  }

  /**
   * Refuses to make one that is a guest frame.
   *
   * @throws Refusal EPERM
   */
  void requireNotLent() {
    if (lent.isPresent()) {
      throw Refusal.of(Errno.EPERM, "the page is guest frame %s", lent.get().gfn);
    }
  }

  /**
   * Refuses to borrow one that was made.
   *
   * @throws Refusal EPERM
   */
  void requireNotMade() {
    if (made.isPresent()) {
      throw Refusal.of(Errno.EPERM, "the page was acquired as a resource");
    }
  }

  /**
   * Borrows a guest frame.
   *
   * @throws Refusal EINVAL no RAM to be written; ENOENT paged out or shared; EPERM a device's
   */
  void borrow(Gfn gfn) {
    lent = Optional.of(new Lent(gfn, domain.physicalMap().orElseThrow().holdRing(gfn)));
  }

  /** Takes a borrowed frame out of the guest's sight. */
  void hide() {
    lent.ifPresent(by -> by.page.hideAt(by.gfn));
  }

  /** Gives a borrowed frame, cleared, back to the guest's sight. */
  void show() {
    lent.ifPresent(
        by -> {
          memory.fillWords(by.page.mfn().maddr(), WORDS, new WordProgression(0, 0));
          by.page.showAt(by.gfn);
        });
  }

  void release() {
    made.ifPresent(page -> domain.memory().specialPages().release(page));
    lent.ifPresent(by -> by.page.release());
    made = Optional.empty();
    lent = Optional.empty();
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .put(made.map(Mfn::value).orElse(-1L))
        .put(gfn().map(Gfn::value).orElse(-1L))
        .put(referenced().map(Mfn::value).orElse(-1L));
  }
}
