//! Where things lie in a TensorFlow Lite file: just enough of FlatBuffers to break one on purpose.

/// Fields of the tables, by their number in the schema.
pub(crate) mod field {
    pub(crate) const MODEL_CODES: usize = 1;
    pub(crate) const MODEL_SUBGRAPHS: usize = 2;
    pub(crate) const MODEL_BUFFERS: usize = 4;
    pub(crate) const GRAPH_TENSORS: usize = 0;
    pub(crate) const GRAPH_INPUTS: usize = 1;
    pub(crate) const GRAPH_OUTPUTS: usize = 2;
    pub(crate) const GRAPH_OPERATORS: usize = 3;
    pub(crate) const TENSOR_SHAPE: usize = 0;
    pub(crate) const TENSOR_TYPE: usize = 1;
    pub(crate) const TENSOR_BUFFER: usize = 2;
    pub(crate) const BUFFER_DATA: usize = 0;
    pub(crate) const CODE_DEPRECATED: usize = 0;
    pub(crate) const CODE_BUILTIN: usize = 3;
    pub(crate) const OPERATOR_CODE: usize = 0;
    pub(crate) const OPERATOR_INPUTS: usize = 1;
    pub(crate) const OPERATOR_OUTPUTS: usize = 2;
}

/// Position of the root table.
pub(crate) fn root(bytes: &[u8]) -> usize {
    follow(bytes, 0)
}

/// Position of a table's list of field offsets.
pub(crate) fn vtable(bytes: &[u8], table: usize) -> usize {
    let back = i32::from_le_bytes(word(bytes, table));
    usize::try_from(i64::try_from(table).unwrap() - i64::from(back)).unwrap()
}

/// Position of a field's value in a table, where the table has it.
pub(crate) fn slot(bytes: &[u8], table: usize, field: usize) -> Option<usize> {
    let vtable = vtable(bytes, table);
    let entry = 4 + 2 * field;
    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let offset = if entry < short(vtable) {
        short(vtable + entry)
    } else {
        0
    };
    (offset != 0).then_some(table + offset)
}

/// Position of the length of a field's vector; its elements follow.
pub(crate) fn vector(bytes: &[u8], table: usize, field: usize) -> Option<usize> {
    slot(bytes, table, field).map(|at| follow(bytes, at))
}

/// Tables in a vector of them.
pub(crate) fn tables(bytes: &[u8], table: usize, field: usize) -> Vec<usize> {
    let at = vector(bytes, table, field).unwrap();
    (0..unsigned(bytes, at))
        .map(|index| follow(bytes, at + 4 + 4 * index))
        .collect()
}

pub(crate) fn unsigned(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(word(bytes, at)) as usize
}

fn follow(bytes: &[u8], at: usize) -> usize {
    at + unsigned(bytes, at)
}

fn word(bytes: &[u8], at: usize) -> [u8; 4] {
    bytes[at..at + 4].try_into().unwrap()
}
