package io.hypercalld.api.event;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which events somebody wants. Immutable.
 *
 * @param types those named; where none is, all that are not frequent
 * @param domid only about this domain
 * @param sbdf only about this device
 */
public record EventFilter(
    Optional<Set<NoticeKind>> types, Optional<DomainId> domid, Optional<Sbdf> sbdf) {
  /** Everything that happens now and then. */
  public static final EventFilter USUAL =
      new EventFilter(Optional.empty(), Optional.empty(), Optional.empty());

  /** Kinds whose type a pattern names: a type, or the beginning of some followed by {@code *}. */
  public static List<NoticeKind> matching(String pattern) {
    return EventTypes.all().stream()
        .filter(
            kind ->
                pattern.endsWith("*")
                    ? kind.type().startsWith(pattern.substring(0, pattern.length() - 1))
                    : kind.type().equals(pattern))
        .toList();
  }

  /** Frequent kinds that it asks for. */
  Set<NoticeKind> frequent() {
    return types.stream()
        .flatMap(Set::stream)
        .filter(NoticeKind::isFrequent)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Whether it wants an event. */
  public boolean accepts(Event event) {
    NoticeKind kind = event.notice().kind();
    return types.map(named -> named.contains(kind)).orElse(!kind.isFrequent())
        && (domid.isEmpty() || domid.equals(event.subject().domid()))
        && (sbdf.isEmpty() || sbdf.equals(event.subject().sbdf()));
  }
}
