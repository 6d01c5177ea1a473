package io.hypercalld.api.json;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.pci.SourceId;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The shapes of all types, derived once each. Thread-safe.
 *
 * <p>Numbers that people read in hexadecimal have types of their own ({@link Word}, {@link Gfn},
 * {@link Mfn}); {@code int} and {@code long} are counts. An {@code int} component whose default is
 * negative may be negative. An empty {@link Optional} is null, and may be left out on the way in.
 */
public final class Shapes {
  /** For resources. */
  public static final Shapes RESOURCES = new Shapes(Naming.CAMEL_CASE);

  /** For hypercalls. */
  public static final Shapes HYPERCALLS = new Shapes(Naming.SNAKE_CASE);

  private final Map<Class<?>, Shape<?>> scalars = new HashMap<>();
  private final Map<Type, Shape<?>> derived = new ConcurrentHashMap<>();
  private final Map<Frame, Shape<?>> framed = new ConcurrentHashMap<>();
  private final RecordShapes records;
  private final AnyShape any = new AnyShape(this);

  /** A record with one number beside its components. */
  private record Frame(Class<?> record, String member, Word absent) {}

  private Shapes(Naming naming) {
    this.records = new RecordShapes(naming, this::of);
    scalar(Numbers.INT, int.class, Integer.class);
    scalar(Numbers.COUNT, long.class, Long.class);
    scalar(Numbers.FRACTION, double.class, Double.class);
    scalar(Text.BOOLEAN, boolean.class, Boolean.class);
    scalar(Text.STRING, String.class);
    scalar(Text.ID, UUID.class);
    scalar(Text.BYTES, HexBytes.class);
    scalar(Text.SIZE, Size.class);
    scalar(Text.SBDF, Sbdf.class);
    scalar(Text.SOURCE_ID, SourceId.class);
    scalar(Numbers.DOMAIN_ID, DomainId.class);
    scalar(Numbers.hex(Word::new, Word::value), Word.class);
    scalar(Numbers.hex(Gfn::new, Gfn::value), Gfn.class);
    scalar(Numbers.hex(Mfn::new, Mfn::value), Mfn.class);
    scalar(any, Object.class);
  }

  private void scalar(Shape<?> shape, Class<?>... types) {
    for (Class<?> type : types) {
      scalars.put(type, shape);
    }
  }

  /** The shape of a class. */
  // A shape is stored under the type that it describes.
  @SuppressWarnings("unchecked")
  public <T> Shape<T> of(Class<T> type) {
    return (Shape<T>) of((Type) type);
  }

  /**
   * The shape of a record with one number beside its components.
   *
   * @param absent what the number is where it is left out
   */
  // A shape is stored under the frame that it describes.
  @SuppressWarnings("unchecked")
  public <T> Shape<Framed<T>> framed(Class<T> record, String member, Word absent) {
    return (Shape<Framed<T>>)
        framed.computeIfAbsent(new Frame(record, member, absent), this::derive);
  }

  // A number's shape reads numbers, whatever it is declared to read.
  @SuppressWarnings("unchecked")
  private Shape<?> derive(Frame frame) {
    Member number =
        new Member(
            frame.member,
            (Shape<Object>) of((Type) Word.class),
            holder -> ((Framed<?>) holder).frame(),
            Optional.of(frame.absent));
    return records.of(frame.record).framed(number);
  }

  /** The JSON of a value, in UTF-8. */
  public byte[] encode(Object value) {
    return JsonWriter.write(out -> any.write(value, out));
  }

  /** The shape that any value is written in. */
  public Shape<Object> any() {
    return any;
  }

  private Shape<?> of(Type type) {
    Shape<?> known = type instanceof Class<?> raw ? scalars.get(raw) : null;
    if (known == null) {
      known = derived.get(type);
    }
    if (known == null) {
      // Not computeIfAbsent: deriving a record derives its components in the same map.
      known = derive(type);
      derived.put(type, known);
    }
    return known;
  }

  private Shape<?> derive(Type type) {
    return switch (type) {
      case ParameterizedType generic -> deriveGeneric(generic);
      case Class<?> raw -> deriveClass(raw);
      default -> throw new IllegalArgumentException("no JSON for " + type);
    };
  }

  private Shape<?> deriveClass(Class<?> type) {
    if (type == GuestFrames.class) {
      return guestFrames();
    }
    if (type.isRecord()) {
      return records.of(type);
    }
    if (type.isEnum()) {
      return ofEnum(type);
    }
    // A constant with a body is an instance of a class of its own.
    if (Enum.class.isAssignableFrom(type)) {
      return of(type.getSuperclass());
    }
    if (type.isInterface()) {
      return any;
    }
    throw new IllegalArgumentException("no JSON for " + type);
  }

  private Shape<?> deriveGeneric(ParameterizedType generic) {
    Type[] arguments = generic.getActualTypeArguments();
    Shape<?> last = of(arguments[arguments.length - 1]);
    if (generic.getRawType() == Optional.class) {
      return new OptionalShape<>(last);
    }
    if (generic.getRawType() == Map.class) {
      return new MapShape<>(last);
    }
    if (generic.getRawType() == List.class) {
      return new ListShape<>(last);
    }
    throw new IllegalArgumentException("no JSON for " + generic);
  }

  private Shape<GuestFrames> guestFrames() {
    return new GuestFramesShape(new ListShape<>(of(Gfn.class)), of(GuestFramesShape.Run.class));
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // The caller has seen that it is an enum.
  private static Shape<?> ofEnum(Class<?> type) {
    return new EnumShape(type);
  }
}
