package io.hypercalld.ioreq.server;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.transaction.Transaction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The guest frames that a toolstack set aside for the pages of servers. Confined to the machine
 * thread.
 *
 * <p>Which of them are free follows from the parameters and from the servers.
 *
 * @see "xen/arch/x86/hvm/ioreq.c, hvm_alloc_ioreq_gfn"
 */
final class GuestFramePool {
  private final Domain domain;

  GuestFramePool(Domain domain) {
    this.domain = domain;
  }

  /**
   * Lends a guest frame to each page that lacks one, or to none: to those of the slots frames that
   * follow each other, as the emulator is told of the first alone.
   *
   * @throws Refusal EINVAL dying, or no RAM to write; ENOMEM not enough are left; ENOENT
   */
  void lend(SharedPages of, Collection<IoServer> servers) {
    List<SharedPage> slots = of.slotsToBorrow();
    Optional<SharedPage> ring = of.ringToBorrow();
    if (slots.isEmpty() && ring.isEmpty()) {
      return;
    }
    if (domain.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s is dying", domain.id());
    }
    Set<Gfn> taken = new HashSet<>();
    servers.forEach(
        server -> server.pages().all().forEach(page -> page.gfn().ifPresent(taken::add)));
    List<Gfn> free = new ArrayList<>(frames().filter(gfn -> !taken.contains(gfn)).toList());
    Map<SharedPage, Gfn> lending = new LinkedHashMap<>();
    List<Gfn> run = run(free, slots.size());
    for (int page = 0; page < slots.size(); page++) {
      lending.put(slots.get(page), run.get(page));
    }
    free.removeAll(run);
    ring.ifPresent(page -> lending.put(page, run(free, 1).getFirst()));
    Transaction.run(
        steps -> {
          lending.forEach(
              (page, gfn) -> {
                page.borrow(gfn);
                steps.onFailure(page::release);
              });
          return lending;
        });
  }

  /** The first so many that follow each other. */
  private List<Gfn> run(List<Gfn> free, int length) {
    for (int from = 0; from + length <= free.size(); from++) {
      List<Gfn> run = free.subList(from, from + length);
      if (followEachOther(run)) {
        return List.copyOf(run);
      }
    }
    throw Refusal.of(
        Errno.ENOMEM,
        "%s has no %d guest frames in a row left for ioreq servers",
        domain.id(),
        length);
  }

  private static boolean followEachOther(List<Gfn> run) {
    return IntStream.range(0, run.size())
        .allMatch(at -> run.get(at).value() == run.getFirst().value() + at);
  }

  private Stream<Gfn> frames() {
    HvmParams params = domain.features().events().params();
    LongStream own =
        LongStream.range(0, params.get(HvmParams.NR_IOREQ_SERVER_PAGES))
            .map(page -> params.get(HvmParams.IOREQ_SERVER_PFN) + page);
    LongStream legacy =
        LongStream.of(params.get(HvmParams.IOREQ_PFN), params.get(HvmParams.BUFIOREQ_PFN))
            .filter(gfn -> gfn != 0);
    return LongStream.concat(own, legacy).mapToObj(Gfn::new);
  }
}
