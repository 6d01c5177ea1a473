package io.hypercalld.core.hypercall;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.DomainTable;
import io.hypercalld.core.domain.MemoryPaging;
import io.hypercalld.core.domain.Privilege;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.PageSize;

/**
 * A pager's operations. Confined to the machine thread.
 *
 * @see "xen/arch/x86/mm/mem_paging.c, mem_paging_memop"
 */
public final class PagingCalls {
  private static final int NOMINATE = 0;
  private static final int EVICT = 1;
  private static final int PREP = 2;

  private final DomainTable domains;

  PagingCalls(DomainTable domains) {
    this.domains = domains;
  }

  public Outcome paging(DomainId caller, PagingOp args) {
    if (args.startExtent() != 0) {
      throw Refusal.of(
          Errno.EINVAL, "there is one page: it cannot begin at %d", args.startExtent());
    }
    Domain by = domains.caller(caller);
    Domain domain = domains.liveRemote(by, args.domain());
    Privilege.DM_PRIV.demand(by, domain);
    if (!domain.type().isTranslated() || !domain.features().paging().isEnabled()) {
      throw Refusal.of(Errno.ENODEV, "no pager listens to %s", domain.id());
    }
    act(domain.features().paging(), args);
    return Outcome.done();
  }

  private static void act(MemoryPaging paging, PagingOp args) {
    if (args.op() == NOMINATE) {
      paging.nominate(args.gfn());
    } else if (args.op() == EVICT) {
      paging.evict(args.gfn());
    } else if (args.op() == PREP) {
      requirePage(args);
      paging.prepare(args.gfn(), args.buffer().map(HexBytes::toByteArray));
    } else {
      throw Refusal.of(Errno.ENOSYS, "there is no operation %d", args.op());
    }
  }

  private static void requirePage(PagingOp args) {
    int length = args.buffer().map(HexBytes::length).orElse(PageSize.BYTES_4K);
    if (length != PageSize.BYTES_4K) {
      throw Refusal.of(Errno.EINVAL, "the buffer has %d bytes, not those of a page", length);
    }
  }
}
