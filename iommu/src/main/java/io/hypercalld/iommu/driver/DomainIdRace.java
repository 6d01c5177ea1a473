package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * One processor frees a domain-id while another claims one: every order in which their stores can
 * fall. Immutable.
 *
 * <p>Claims exclude each other, since they are made under the unit's lock; what frees ids did not
 * take that lock.
 *
 * @see "XSA-399, CVE-2022-26357; Xen d9eca7bb6c"
 */
public final class DomainIdRace {
  private static final int UNIT_SIZE = 16;
  private static final DomainId LEAVING = new DomainId(1);
  private static final DomainId STAYING = new DomainId(2);
  private static final List<DomainId> COMING = List.of(new DomainId(3), new DomainId(4));

  private DomainIdRace() {}

  /**
   * One order and what it led to.
   *
   * @param order who made each store: F frees, C claims
   * @param lost owners that claimed an id and are not found to have one of their own afterwards
   */
  public record Outcome(String order, List<DomainId> lost) {}

  /** Every order of freeing one id and claiming two, with the ids of a Xen's generation. */
  public static List<Outcome> explore(Profile generation) {
    List<Outcome> outcomes = new ArrayList<>();
    int frees = releaseSteps(occupied(generation)).size();
    int claims = claimSteps(occupied(generation)).size();
    merge(frees, claims, "", order -> outcomes.add(run(generation, order)));
    return outcomes;
  }

  /** Calls back with each word of so many F and C. */
  private static void merge(int frees, int claims, String begun, Consumer<String> each) {
    if (frees == 0 && claims == 0) {
      each.accept(begun);
    }
    if (frees > 0) {
      merge(frees - 1, claims, begun + 'F', each);
    }
    if (claims > 0) {
      merge(frees, claims - 1, begun + 'C', each);
    }
  }

  private static Outcome run(Profile generation, String order) {
    DomainIds ids = occupied(generation);
    var frees = releaseSteps(ids).iterator();
    var claims = claimSteps(ids).iterator();
    order.chars().forEach(who -> (who == 'F' ? frees : claims).next().run());
    return new Outcome(order, COMING.stream().filter(owner -> isLost(ids, owner)).toList());
  }

  private static boolean isLost(DomainIds ids, DomainId owner) {
    return ids.find(owner).stream()
        .noneMatch(did -> ids.ownerOf(did).filter(owner::equals).isPresent());
  }

  private static DomainIds occupied(Profile generation) {
    DomainIds ids =
        generation == Profile.AS_SHIPPED
            ? new ScannedDomainIds(0, UNIT_SIZE, false)
            : new MappedDomainIds(0, UNIT_SIZE, false);
    List.of(DomainId.DOM0, LEAVING, STAYING).forEach(ids::claim);
    return ids;
  }

  private static List<Runnable> releaseSteps(DomainIds ids) {
    return ((SteppedDomainIds) ids).releaseSteps(LEAVING);
  }

  private static List<Runnable> claimSteps(DomainIds ids) {
    return COMING.stream()
        .flatMap(owner -> ((SteppedDomainIds) ids).claimSteps(owner).stream())
        .toList();
  }
}
