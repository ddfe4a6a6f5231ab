using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace LoyaltyService.Tests.Architecture;

/// <summary>Which types of one assembly name which others of the same assembly. Types of nested ones count for the outermost.</summary>
internal sealed class AssemblyUses(PEReader file, string root)
{
    private static readonly Dictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value, code => code.OperandType);

    private readonly MetadataReader metadata = file.GetMetadataReader();

    public List<(string From, string To)> All() =>
    [
        .. metadata.TypeDefinitions
            .SelectMany(handle => Named(metadata.GetTypeDefinition(handle)).Select(used => (From: NameOf(handle), To: used)))
            .Where(use => use.From != use.To && use.From.StartsWith(root + ".", StringComparison.Ordinal) && use.To.StartsWith(root + ".", StringComparison.Ordinal))
            .Distinct(),
    ];

    private List<string> Named(TypeDefinition type)
    {
        var names = new TypeNames(this);
        var used = new List<string>();
        used.AddRange(NamesOf(type.BaseType));
        used.AddRange(type.GetInterfaceImplementations().SelectMany(handle => NamesOf(metadata.GetInterfaceImplementation(handle).Interface)));
        used.AddRange(type.GetCustomAttributes().SelectMany(handle => NamesOf(metadata.GetCustomAttribute(handle).Constructor)));
        used.AddRange(type.GetFields().SelectMany(handle => metadata.GetFieldDefinition(handle).DecodeSignature(names, null)));
        foreach (var method in type.GetMethods().Select(metadata.GetMethodDefinition))
        {
            var signature = method.DecodeSignature(names, null);
            used.AddRange([.. signature.ReturnType, .. signature.ParameterTypes.SelectMany(parameter => parameter)]);
            if (method.RelativeVirtualAddress != 0)
                used.AddRange(NamesInBody(file.GetMethodBody(method.RelativeVirtualAddress), names));
        }

        return used;
    }

    private IEnumerable<string> NamesInBody(MethodBodyBlock body, TypeNames names)
    {
        if (!body.LocalSignature.IsNil)
        {
            foreach (var name in metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(names, null).SelectMany(local => local))
                yield return name;
        }

        foreach (var token in Tokens(body.GetILBytes()!))
        {
            foreach (var name in NamesOf(MetadataTokens.EntityHandle(token)))
                yield return name;
        }
    }

    /// <summary>The metadata tokens among the operands of a method's instructions.</summary>
    private static IEnumerable<int> Tokens(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? 0xFE00 | code[at + 1] : code[at];
            at += value > 0xFF ? 2 : 1;
            switch (Operands[value])
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok:
                    yield return BitConverter.ToInt32(code, at);
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + (4 * BitConverter.ToInt32(code, at));
                    break;
                case var operand:
                    at += SizeOf(operand);
                    break;
            }
        }
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };

    private IEnumerable<string> NamesOf(EntityHandle handle) => handle.IsNil ? [] : handle.Kind switch
    {
        HandleKind.TypeDefinition => [NameOf((TypeDefinitionHandle)handle)],
        HandleKind.TypeSpecification => metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(new TypeNames(this), null),
        HandleKind.MethodDefinition => NamesOf(metadata.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType()),
        HandleKind.FieldDefinition => NamesOf(metadata.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType()),
        HandleKind.MemberReference => NamesOf(metadata.GetMemberReference((MemberReferenceHandle)handle).Parent),
        HandleKind.MethodSpecification => NamesOf(metadata.GetMethodSpecification((MethodSpecificationHandle)handle)),
        _ => [],
    };

    private IEnumerable<string> NamesOf(MethodSpecification method) =>
        [.. NamesOf(method.Method), .. method.DecodeSignature(new TypeNames(this), null).SelectMany(argument => argument)];

    private string NameOf(TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        while (type.IsNested)
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }

    /// <summary>A signature as the names of this assembly's types in it.</summary>
    private sealed class TypeNames(AssemblyUses uses) : ISignatureTypeProvider<IReadOnlyList<string>, object?>
    {
        public IReadOnlyList<string> GetPrimitiveType(PrimitiveTypeCode typeCode) => [];

        public IReadOnlyList<string> GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => [uses.NameOf(handle)];

        public IReadOnlyList<string> GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => [];

        public IReadOnlyList<string> GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public IReadOnlyList<string> GetGenericInstantiation(IReadOnlyList<string> genericType, System.Collections.Immutable.ImmutableArray<IReadOnlyList<string>> typeArguments) =>
            [.. genericType, .. typeArguments.SelectMany(argument => argument)];

        public IReadOnlyList<string> GetArrayType(IReadOnlyList<string> elementType, ArrayShape shape) => elementType;

        public IReadOnlyList<string> GetSZArrayType(IReadOnlyList<string> elementType) => elementType;

        public IReadOnlyList<string> GetByReferenceType(IReadOnlyList<string> elementType) => elementType;

        public IReadOnlyList<string> GetPointerType(IReadOnlyList<string> elementType) => elementType;

        public IReadOnlyList<string> GetPinnedType(IReadOnlyList<string> elementType) => elementType;

        public IReadOnlyList<string> GetModifiedType(IReadOnlyList<string> modifier, IReadOnlyList<string> unmodifiedType, bool isRequired) =>
            [.. modifier, .. unmodifiedType];

        public IReadOnlyList<string> GetFunctionPointerType(MethodSignature<IReadOnlyList<string>> signature) =>
            [.. signature.ReturnType, .. signature.ParameterTypes.SelectMany(parameter => parameter)];

        public IReadOnlyList<string> GetGenericMethodParameter(object? genericContext, int index) => [];

        public IReadOnlyList<string> GetGenericTypeParameter(object? genericContext, int index) => [];
    }
}
