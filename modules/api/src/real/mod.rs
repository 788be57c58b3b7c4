pub struct RealSystem;
