package io.hypercalld.api.json;

import io.hypercalld.core.hypercall.OrElse;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Derives the shape of a record from its components. Immutable. */
final class RecordShapes {
  private final Naming naming;
  private final Function<Type, Shape<?>> shapes;

  /**
   * Derives records whose members are spelled in one way.
   *
   * @param shapes gives the components' shapes
   */
  RecordShapes(Naming naming, Function<Type, Shape<?>> shapes) {
    this.naming = naming;
    this.shapes = shapes;
  }

  <T> RecordShape<T> of(Class<T> type) {
    RecordComponent[] components = type.getRecordComponents();
    List<Member> members = Arrays.stream(components).map(this::member).toList();
    return new RecordShape<>(members, constructor(type, components));
  }

  private Member member(RecordComponent component) {
    Shape<Object> shape = shapeOf(component);
    MemberName name = component.getAnnotation(MemberName.class);
    return new Member(
        name == null ? naming.memberName(component.getName()) : name.value(),
        shape,
        accessor(component),
        absent(component, shape));
  }

  // A component's shape reads and writes values of its type, whatever that is.
  @SuppressWarnings("unchecked")
  private Shape<Object> shapeOf(RecordComponent component) {
    OrElse orElse = component.getAnnotation(OrElse.class);
    boolean mayBeNegative = orElse != null && orElse.value().startsWith("-");
    return (Shape<Object>)
        (component.getType() == int.class && mayBeNegative
            ? Numbers.SIGNED_INT
            : shapes.apply(component.getGenericType()));
  }

  private static Optional<Object> absent(RecordComponent component, Shape<Object> shape) {
    OrElse orElse = component.getAnnotation(OrElse.class);
    if (orElse != null) {
      byte[] text = orElse.value().getBytes(StandardCharsets.UTF_8);
      return Optional.of(JsonReader.readAll(text, shape));
    }
    return component.getType() == Optional.class ? Optional.of(Optional.empty()) : Optional.empty();
  }

  private static Function<Object, Object> accessor(RecordComponent component) {
    MethodHandle handle;
    try {
      component.getAccessor().setAccessible(true);
      handle =
          MethodHandles.lookup()
              .unreflect(component.getAccessor())
              .asType(MethodType.methodType(Object.class, Object.class));
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("all modules here are open", e);
    }
    return holder -> {
      try {
        return (Object) handle.invokeExact(holder);
      } catch (Throwable e) {
        throw new IllegalStateException("an accessor of a record does not throw", e);
      }
    };
  }

  private static <T> RecordShape.Constructor<T> constructor(
      Class<T> type, RecordComponent[] components) {
    Class<?>[] parameters =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    MethodHandle handle;
    try {
      var constructor = type.getDeclaredConstructor(parameters);
      constructor.setAccessible(true);
      handle =
          MethodHandles.lookup()
              .unreflectConstructor(constructor)
              .asSpreader(Object[].class, parameters.length)
              .asType(MethodType.methodType(Object.class, Object[].class));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("every record has its canonical constructor", e);
    }
    return values -> construct(type, handle, values);
  }

  private static <T> T construct(Class<T> type, MethodHandle handle, @Nullable Object[] values) {
    try {
      return type.cast((Object) handle.invokeExact(values));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a record's constructor throws nothing checked", e);
    }
  }
}
