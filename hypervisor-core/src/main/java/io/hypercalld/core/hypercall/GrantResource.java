package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.GrantTable;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.memory.Mfn;
import java.util.List;

/**
 * The pages of a domain's grant table as a resource: shared entries 0, status words 1. Confined to
 * the machine thread.
 *
 * @see "xen/common/grant_table.c, gnttab_acquire_resource"
 */
final class GrantResource implements ResourceProvider {
  private static final long SHARED = 0;
  private static final long STATUS = 1;

  @Override
  public long size(Domain domain, long id) {
    if (id == SHARED) {
      return domain.memory().grantTable().maxFrames();
    }
    return id == STATUS ? domain.memory().grantTable().maxStatusFrames() : 0;
  }

  @Override
  public List<Mfn> acquire(Domain caller, Domain domain, Frames frames) {
    if (domain.isDying()) {
      throw Refusal.of(Errno.EINVAL, "%s is dying and has no grant table", domain.id());
    }
    GrantTable table = domain.memory().grantTable();
    long last = frames.first() + frames.count() - 1;
    List<Mfn> all;
    if (frames.id() == SHARED) {
      table.sharedFrame(last);
      all = table.sharedFrames();
    } else {
      table.statusFrame(last);
      all = table.statusFrames();
    }
    return all.subList((int) frames.first(), (int) last + 1);
  }
}
