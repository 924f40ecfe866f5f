"""The operators that a graph may have: what converters of tabular models emit, plus small dense networks.

Not on the list, on purpose: Loop, If, Scan and SequenceMap (graphs within graphs, endless), every random operator (no
answer twice), Range, Resize and Pad (memory by a number), string splitting and regular expressions, and all custom ones.
"""

_DEFAULT = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization Cast Ceil Clip Compress Concat Constant
ConstantOfShape Cos Cosh CumSum Div Dropout Elu Equal Erf Exp Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm Greater
GreaterOrEqual HardSigmoid Hardmax Identity IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max
Mean Min Mod Mul Neg NonZero Not OneHot Or PRelu Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round ScatterElements Selu Shape Sigmoid Sign Sin Sinh
Size Slice Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Tan Tanh Tile TopK Transpose Unsqueeze Where Xor
"""
_TABULAR = """
ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor
Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor
"""

ALLOWED: dict[str, frozenset[str]] = {
    "": frozenset(_DEFAULT.split()),
    "ai.onnx.ml": frozenset(_TABULAR.split()),
    # Distances of neighbours and kernels: one bounded operator instead of the converters' default loop.
    "com.microsoft": frozenset({"CDist"}),
}

# Operators whose result is as large as a number in the graph says.
MAKES_SHAPE = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
# Operators that are expensive at load when all they take is constant: constant folding runs them.
HEAVY = frozenset(
    {
        "MatMul",
        "Gemm",
        "CDist",
        "TopK",
        "CumSum",
        "TreeEnsemble",
        "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
        "SVMClassifier",
        "SVMRegressor",
    }
)
