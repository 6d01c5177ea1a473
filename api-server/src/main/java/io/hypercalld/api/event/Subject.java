package io.hypercalld.api.event;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.pci.Sbdf;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What an event is about, as far as watchers choose by it: found in the components {@code iommu},
 * {@code sbdf} and {@code domid} of its particulars. Immutable.
 */
record Subject(Optional<Integer> iommu, Optional<Sbdf> sbdf, Optional<DomainId> domid) {
  private static final ClassValue<Finder> FINDERS =
      new ClassValue<>() {
        @Override
        protected Finder computeValue(Class<?> type) {
          return new Finder(find(type, "iommu"), find(type, "sbdf"), find(type, "domid"));
        }
      };

  private record Finder(Optional<Method> iommu, Optional<Method> sbdf, Optional<Method> domid) {}

  static Subject of(Record about) {
    Finder finder = FINDERS.get(about.getClass());
    return new Subject(
        value(finder.iommu, about, Integer.class),
        value(finder.sbdf, about, Sbdf.class),
        value(finder.domid, about, DomainId.class));
  }

  /** The resource below {@code /v1} that it is about. */
  String path() {
    return iommu
        .map(index -> "/iommus/" + index)
        .or(() -> sbdf.map(address -> "/devices/" + address))
        .or(() -> domid.map(id -> "/domains/" + id.value()))
        .orElse("/machine");
  }

  private static Optional<Method> find(Class<?> type, String name) {
    return Stream.of(type.getRecordComponents())
        .filter(component -> component.getName().equals(name))
        .map(RecordComponent::getAccessor)
        .peek(accessor -> accessor.setAccessible(true))
        .findFirst();
  }

  private static <T> Optional<T> value(Optional<Method> accessor, Record about, Class<T> type) {
    return accessor
        .map(method -> call(method, about))
        .flatMap(found -> found instanceof Optional<?> maybe ? maybe : Optional.of(found))
        .map(type::cast);
  }

  private static Object call(Method accessor, Record about) {
    try {
      return accessor.invoke(about);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException(accessor.toString(), e);
    }
  }
}
