package io.hypercalld.core.guest;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.MemoryAccess;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import io.hypercalld.core.p2m.P2mStep;
import io.hypercalld.core.p2m.P2mTable;
import java.util.List;
import java.util.Optional;

/**
 * What would become of a guest's access to a page, and why; nothing is changed. Immutable.
 *
 * @param walk the entries on the way, the root's first
 * @param found what they come to, with lazy changes of the type carried out in thought
 * @param wouldPassIf what would let it reach memory; empty where it does
 */
public record AccessExplanation(
    List<P2mStep> walk, P2mLookup found, AccessHandling handling, Optional<String> wouldPassIf) {
  public AccessExplanation {
    walk = List.copyOf(walk);
  }

  /**
   * Explains an access.
   *
   * @throws Refusal EOPNOTSUPP a PV domain
   */
  public static AccessExplanation of(Domain domain, Gfn gfn, MemoryAccess.Kind kind) {
    P2mTable p2m =
        domain
            .findP2m()
            .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s has no P2M", domain.id()));
    P2mLookup found = p2m.lookup(gfn);
    AccessHandling handling = AccessHandling.in(domain, gfn, found, kind);
    return new AccessExplanation(p2m.explain(gfn), found, handling, remedy(found, handling));
  }

  private static Optional<String> remedy(P2mLookup found, AccessHandling handling) {
    return switch (handling) {
      case MEMORY, POPULATE, UNSHARE, LOG_DIRTY -> Optional.empty();
      case RESTRICTED -> Optional.of("its access were not %s".formatted(found.access()));
      case EMULATE, DISCARD, EXCEPTION, CRASH ->
          Optional.of("its type were ram_rw and not %s".formatted(found.type()));
      case PAGE_IN, SPIN -> Optional.of("the page were there");
    };
  }
}
