package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;

/**
 * The page types of a domain that servers claim, and what is made of their pages. Confined to the
 * machine thread.
 */
public final class PageClaims implements Digestible {
  private final Map<P2mType, MemoryTypeClaim> claims = new EnumMap<>(P2mType.class);
  private final Domain domain;
  private ClaimPolicies policies = ClaimPolicies.SHIPPED;

  PageClaims(Domain domain) {
    this.domain = domain;
    P2mType.IOREQ.forEach(type -> claims.put(type, new MemoryTypeClaim(this, domain, type)));
  }

  public ClaimPolicies policies() {
    return policies;
  }

  /**
   * Chooses other policies.
   *
   * @throws Refusal EBUSY while a server has a type or there are pages of one
   */
  public void choose(ClaimPolicies chosen) {
    if (all().stream().anyMatch(claim -> claim.owner().isPresent() || claim.pages() > 0)) {
      throw Refusal.of(
          Errno.EBUSY, "pages of %s belong to an ioreq server or wait for one", domain.id());
    }
    policies = chosen;
    domain.p2m().types().offerIoreqTypes(chosen.types());
    all().forEach(MemoryTypeClaim::begin);
  }

  /** Who has the type, which is one of {@link P2mType#IOREQ}. */
  public MemoryTypeClaim of(P2mType type) {
    MemoryTypeClaim claim = claims.get(type);
    if (claim == null) {
      throw new IllegalArgumentException("no server claims " + type);
    }
    return claim;
  }

  /** The types, those included that the domain has not. */
  public Collection<MemoryTypeClaim> all() {
    return claims.values();
  }

  /** Whether the server has a type. */
  public boolean isOwner(IoServer server) {
    return all().stream().anyMatch(claim -> claim.isOf(server));
  }

  void retyped(Gfn gfn, P2mType type) {
    all().forEach(claim -> claim.retyped(gfn, type));
  }

  void abandon(IoServer server) {
    all().stream().filter(claim -> claim.isOf(server)).forEach(claim -> claim.abandon(server));
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(policies);
    all().forEach(digest::put);
  }
}
