package io.hypercalld.api.machine;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.transaction.Transaction;
import io.hypercalld.ioreq.server.ClaimPolicies;
import io.hypercalld.ioreq.server.IoServers;
import io.hypercalld.ioreq.server.PageClaims;
import java.util.Optional;

/** What somebody wants of the page type that servers claim; the rest stays. Immutable. */
public record ClaimChoices(
    Optional<ClaimPolicies.Unclaimed> unclaimed,
    Optional<ClaimPolicies.ClaimAccess> access,
    Optional<ClaimPolicies.ClaimUpdate> update,
    Optional<ClaimPolicies.Destroyed> destroyed,
    Optional<Integer> types,
    Optional<ClaimPolicies.Generation> generation) {
  /**
   * Refuses what no domain could follow.
   *
   * @throws Refusal EINVAL more types than there are
   */
  public ClaimChoices {
    types.ifPresent(ClaimPolicies::requireTypes);
  }

  /** Nothing. */
  public static final ClaimChoices NONE =
      new ClaimChoices(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  /** All that these say. */
  public static ClaimChoices all(ClaimPolicies policies) {
    return new ClaimChoices(
        Optional.of(policies.unclaimed()),
        Optional.of(policies.access()),
        Optional.of(policies.update()),
        Optional.of(policies.destroyed()),
        Optional.of(policies.types()),
        Optional.of(policies.generation()));
  }

  /**
   * Has a domain follow them.
   *
   * @throws Refusal EOPNOTSUPP a PV domain; EBUSY while a server has a type or there are pages of
   *     one
   */
  void applyTo(Transaction steps, Domain domain) {
    if (equals(NONE)) {
      return;
    }
    IoServers servers =
        domain
            .findFacet(IoServers.class)
            .orElseThrow(() -> Refusal.of(Errno.EOPNOTSUPP, "%s is PV", domain.id()));
    PageClaims all = servers.claims();
    ClaimPolicies now = all.policies();
    all.choose(
        new ClaimPolicies(
            unclaimed.orElse(now.unclaimed()),
            access.orElse(now.access()),
            update.orElse(now.update()),
            destroyed.orElse(now.destroyed()),
            types.orElse(now.types()),
            generation.orElse(now.generation())));
    steps.onFailure(() -> all.choose(now));
  }
}
