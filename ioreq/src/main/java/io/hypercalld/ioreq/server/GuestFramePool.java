package io.hypercalld.ioreq.server;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.HvmParams;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.transaction.Transaction;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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
   * Lends a guest frame to each page, or to none.
   *
   * @throws Refusal EINVAL dying, or no RAM to write; ENOMEM none is left; ENOENT
   */
  void lend(List<SharedPage> pages, Collection<IoServer> servers) {
    if (pages.isEmpty()) {
      return;
    }
    if (domain.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s is dying", domain.id());
    }
    Set<Gfn> taken = new HashSet<>();
    servers.forEach(
        server -> server.pages().all().forEach(page -> page.gfn().ifPresent(taken::add)));
    List<Gfn> free = frames().filter(gfn -> !taken.contains(gfn)).toList();
    if (free.size() < pages.size()) {
      throw Refusal.of(Errno.ENOMEM, "%s has no guest frame left for ioreq servers", domain.id());
    }
    Transaction.run(
        steps -> {
          for (int i = 0; i < pages.size(); i++) {
            SharedPage page = pages.get(i);
            page.borrow(free.get(i));
            steps.onFailure(page::release);
          }
          return pages;
        });
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
