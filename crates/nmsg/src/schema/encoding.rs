use crate::schema::Field;

/// One entry of the encoded form of a message.
#[derive(Clone, Debug)]
pub(crate) enum EncodingStep {
    /// A field of the message itself.
    Field {
        /// Index in declared order.
        field: usize,
        /// Field number.
        tag: u32,
    },
    /// An embedded message, and the fields that it holds.
    Embedded {
        /// Field number of the embedded message.
        tag: u32,
        /// Index in declared order and field number inside, by ascending field number.
        fields: Box<[(usize, u32)]>,
    },
}

impl EncodingStep {
    /// The steps of a field table, by ascending field number.
    pub(super) fn of_fields(fields: &[Field]) -> Vec<Self> {
        let mut steps = Vec::new();
        let mut nested = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            if let Some(tag) = field.tag {
                steps.push((tag, Self::Field { field: i, tag }));
            } else if let Some((outer, inner)) = field.nested {
                nested.push((outer, inner, i));
            }
        }
        nested.sort_unstable();
        for group in nested.chunk_by(|a, b| a.0 == b.0) {
            let tag = group[0].0;
            let fields = group.iter().map(|&(_, inner, i)| (i, inner)).collect();
            steps.push((tag, Self::Embedded { tag, fields }));
        }
        steps.sort_by_key(|&(tag, _)| tag);
        steps.into_iter().map(|(_, step)| step).collect()
    }
}
